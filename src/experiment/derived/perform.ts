/** `esta finetune` and `esta deploy`: of which run, with what, and into which folder. */
import { createEngine } from '../../engine/select.js';
import { measuredBy } from '../../run-folder/measured/choice.js';
import type { MachineMeasurements } from '../../run-folder/measured/measurement.js';
import { experimentIn } from '../../run-folder/run-configuration.js';
import { readRunFolder } from '../../run-folder/run-folder.js';
import type { Device, EngineChoice, Precision } from '../../shared/engine-names.js';
import { defaultCacheFolder } from '../../shared/folders/cache-folder.js';
import { interruptSignal } from '../../shared/interrupt.js';
import { createProgress } from '../../shared/progress.js';
import type { Runtime } from '../../training/runtime.js';
import { chosenStitch, type DeployedChoice } from '../deployed/deployed-network.js';
import { findTrial } from '../deployed/found-trial.js';
import { type DerivedTrial, derivedFolder } from './derived-trial.js';
import { type Finetuned, finetune } from './finetune.js';
import { type RedeployRequest, redeploy } from './redeploy.js';
import type { SharedRuntime } from './shared-trial.js';

interface Flags {
  readonly trial?: string | undefined;
  /** Default: beside the run. */
  readonly out?: string | undefined;
  readonly engine: EngineChoice;
  readonly device?: Device | undefined;
  /** On a CPU; left out: all cores. */
  readonly threads?: number | undefined;
  /** What was typed, to be recorded. */
  readonly command: string;
}

export interface FinetuneFlags extends Flags, DeployedChoice {
  readonly epochs: number;
  /** Base learning rates; left out: shares of the run's own. */
  readonly rate?: readonly number[] | undefined;
  /** Of matrix products; left out: what the run asks for. */
  readonly precision?: Precision | undefined;
}

/** @throws RequestError, TrialError, Interrupted */
export async function performFinetuning(
  runFolder: string,
  flags: FinetuneFlags,
): Promise<Finetuned & { readonly out: string }> {
  const { trial, epochs, rate: rates, command } = flags;
  const run = await findTrial(runFolder, trial);
  const { id: stitch } = chosenStitch(run, flags);
  const { out = derivedFolder(run.folder, `stitch-${stitch}`, trial) } = flags;
  const { training } = await experimentIn(run.folder);
  const { precision = training.precision } = flags;
  const finetuned = await withEngine({ ...flags, precision }, (runtime) =>
    finetune(runtime, run, { stitch, out, command, epochs, rates }),
  );
  return { out, ...finetuned };
}

export interface RedeployFlags extends Flags, Pick<RedeployRequest, 'machine' | 'by' | 'bins'> {}

/** @throws RequestError, Interrupted */
export async function performRedeployment(
  runFolder: string,
  flags: RedeployFlags,
): Promise<DerivedTrial & { readonly out: string; readonly machines: readonly MachineMeasurements[] }> {
  const { trial, machine, by, bins, command } = flags;
  const run = await findTrial(runFolder, trial);
  const name = measuredBy(run, machine).table.machine;
  const { out = derivedFolder(run.folder, `on-${name}`, trial) } = flags;
  const request = { machine: name, by, bins, out, command };
  const derived = await withEngine(flags, (runtime) => redeploy(runtime, run, request));
  const { machines } = await readRunFolder(out);
  return { out, ...derived, machines };
}

async function withEngine<T>(
  { engine: choice, device, threads, precision }: Pick<FinetuneFlags, 'engine' | 'device' | 'threads' | 'precision'>,
  work: (runtime: Runtime & SharedRuntime) => Promise<T>,
): Promise<T> {
  const signal = interruptSignal();
  const engine = await createEngine(choice, { device, threads, precision });
  const progress = createProgress(process.stderr);
  return work({ engine, signal, progress, cacheFolder: defaultCacheFolder() }).finally(() => engine.dispose());
}
