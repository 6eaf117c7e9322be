/** What `esta run` and `esta ablate` do once they know the experiment: engine, Ctrl-C, trials, table. */
import path from 'node:path';
import type { Variant } from '../config/plan.js';
import type { Experiment } from '../config/schema/experiment.js';
import { createEngine } from '../engine/select.js';
import { renderRunSummary } from '../report/summary.js';
import type { TrialResult } from '../run-folder/result.js';
import type { Device, EngineChoice } from '../shared/engine-names.js';
import { interruptSignal } from '../shared/interrupt.js';
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
  const recorded = ['esta', ...command].map(quoted).join(' ');
  const options = { runFolder, engine, progress, signal, variants, reuse, command: recorded };
  const trials = await runExperiment(experiment, options).finally(() => engine.dispose());
  const summary = await renderRunSummary(runFolder);
  const next = `Next: esta report ${path.relative('.', runFolder) || '.'} --format html`;
  return {
    text: [`${summary.text}\n`, ...summary.files, next].join('\n'),
    exitStatus: trials.some(({ status }) => status === 'failed') ? 1 : 0,
    document: { run: runFolder, trials },
  };
}

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return /^[\w./=:@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
