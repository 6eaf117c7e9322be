/** What `esta run` and `esta ablate` do once they know the experiment: engine, Ctrl-C, trials, table. */
import path from 'node:path';
import type { Variant } from '../config/plan.js';
import type { Experiment } from '../config/schema/experiment.js';
import { createEngine } from '../engine/select.js';
import { renderRunSummary } from '../report/summary.js';
import type { TrialResult } from '../run-folder/result.js';
import type { Device, EngineChoice } from '../shared/engine-names.js';
import { interruptSignal } from '../shared/interrupt.js';
import { estaCommand, formatNextStep } from '../shared/next-step.js';
import { createProgress } from '../shared/progress.js';
import { runExperiment } from './runner.js';

export interface PerformOptions {
  readonly runFolder: string;
  readonly engine: EngineChoice;
  /** Default: the engine's own choice. */
  readonly device?: Device | undefined;
  /** Words of the command line, to be recorded. */
  readonly command: readonly string[];
  readonly variants?: readonly Variant[];
  /** Run folders whose finished trials of the same settings are taken over. */
  readonly reuse?: readonly string[];
}

export interface Performed {
  /** Table, files written and next command, for people. */
  readonly text: string;
  readonly exitStatus: 0 | 1;
  /** For `--json`. */
  readonly document: { readonly run: string; readonly trials: readonly TrialResult[] };
}

/** @throws RequestError, Interrupted */
export async function performExperiment(
  experiment: Experiment,
  { runFolder, engine: choice, device, command, variants = [], reuse = [] }: PerformOptions,
): Promise<Performed> {
  const signal = interruptSignal();
  const engine = await createEngine(choice, { device });
  const progress = createProgress(process.stderr);
  const options = { runFolder, engine, progress, signal, variants, reuse, command: estaCommand(...command) };
  const trials = await runExperiment(experiment, options).finally(() => engine.dispose());
  const summary = await renderRunSummary(runFolder, process.stdout.columns);
  const folder = path.relative('.', runFolder) || '.';
  const page = path.join(folder, 'report.html');
  const next = formatNextStep({
    purpose: 'A page with the curve to explore:',
    command: estaCommand('report', folder, '--out', page),
  });
  return {
    text: [`${summary.text}\n`, ...summary.files, next].join('\n'),
    exitStatus: trials.some(({ status }) => status === 'failed') ? 1 : 0,
    document: { run: runFolder, trials },
  };
}
