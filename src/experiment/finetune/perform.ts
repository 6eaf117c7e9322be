/** `esta finetune`: which stitch, and into which folder. */
import { defaultCacheFolder } from '../../data/cache-folder.js';
import { createEngine } from '../../engine/select.js';
import type { Device, EngineChoice } from '../../shared/engine-names.js';
import { interruptSignal } from '../../shared/interrupt.js';
import { createProgress } from '../../shared/progress.js';
import { chosenStitch, type DeployedChoice } from '../deployed/deployed-network.js';
import { findTrial } from '../deployed/trained-trial.js';
import { type Finetuned, finetune, finetunedFolder } from './finetune.js';

export interface FinetuneFlags extends DeployedChoice {
  readonly epochs: number;
  /** Base learning rates; left out: shares of the run's own. */
  readonly rate?: readonly number[] | undefined;
  /** Default: beside the run. */
  readonly out?: string | undefined;
  readonly engine: EngineChoice;
  readonly device?: Device | undefined;
  /** What was typed, to be recorded. */
  readonly command: string;
}

/** @throws RequestError, TrialError, Interrupted */
export async function performFinetuning(
  runFolder: string,
  flags: FinetuneFlags,
): Promise<Finetuned & { readonly out: string }> {
  const { trial, epochs, rate: rates, engine: choice, device, command } = flags;
  const run = await findTrial(runFolder, trial);
  const { id: stitch } = chosenStitch(run, flags);
  const { out = finetunedFolder(run.folder, stitch, trial) } = flags;
  const signal = interruptSignal();
  const engine = await createEngine(choice, { device });
  const surroundings = { engine, signal, progress: createProgress(process.stderr), cacheFolder: defaultCacheFolder() };
  const finetuned = await finetune(surroundings, run, { stitch, out, command, epochs, rates }).finally(() =>
    engine.dispose(),
  );
  return { out, ...finetuned };
}
