/** The story of one experiment: engine, Ctrl-C, its trials one after the other, table; what is finished is not run again. */
import path from 'node:path';
import type { Experiment } from '../config/schema/experiment.js';
import { type Trial, trialsOf, type Variant } from '../config/trials.js';
import { defaultCacheFolder } from '../data/cache-folder.js';
import { createEngine } from '../engine/select.js';
import { renderRunSummary } from '../report/summary.js';
import type { TrialResult } from '../run-folder/result.js';
import { openRunFolder, type RunWriter } from '../run-folder/run-writer.js';
import type { Device, EngineChoice } from '../shared/engine-names.js';
import { TrialError } from '../shared/errors.js';
import { interruptSignal } from '../shared/interrupt.js';
import { estaCommand, formatNextStep } from '../shared/next-step.js';
import { createProgress } from '../shared/progress.js';
import type { Runtime } from '../training/runtime.js';
import { withAnchorNormalisation } from './anchor-normalisation.js';
import { refuseWrongInputs } from './inputs.js';
import { runTrial } from './trial/trial.js';

interface WhatToRun {
  readonly runFolder: string;
  /** What an ablation compares; left out: the experiment as it is. */
  readonly variants?: readonly Variant[];
  /** Run folders, or folders that hold some, whose finished trials of the same settings are taken over. */
  readonly reuse?: readonly string[];
}

export interface RunOptions extends WhatToRun, Runtime {
  /** Default: the user's cache folder. */
  readonly cacheFolder?: string;
  /** What was typed, to be recorded. */
  readonly command?: string;
}

export interface PerformOptions extends WhatToRun {
  readonly engine: EngineChoice;
  /** Default: the engine's own choice. */
  readonly device?: Device | undefined;
  /** Words of the command line, to be recorded. */
  readonly command: readonly string[];
}

export interface Performed {
  /** Table, files written and next command, for people. */
  readonly text: string;
  readonly exitStatus: 0 | 1;
  /** For `--json`. */
  readonly document: { readonly run: string; readonly trials: readonly TrialResult[] };
}

/**
 * What `esta run` and `esta ablate` do once they know the experiment.
 * @throws RequestError, Interrupted
 */
export async function performExperiment(
  experiment: Experiment,
  { engine: choice, device, command, ...what }: PerformOptions,
): Promise<Performed> {
  const signal = interruptSignal();
  const engine = await createEngine(choice, { device });
  const progress = createProgress(process.stderr);
  const options = { ...what, engine, progress, signal, command: estaCommand(...command) };
  const trials = await runExperiment(experiment, options).finally(() => engine.dispose());
  const { runFolder } = what;
  const summary = await renderRunSummary(runFolder, process.stdout.columns);
  const folder = path.relative('.', runFolder) || '.';
  const next = formatNextStep({
    purpose: 'A page with the curve to explore:',
    command: estaCommand('report', folder, '--out', path.join(folder, 'report.html')),
  });
  return {
    text: [`${summary.text}\n`, ...summary.files, next].join('\n'),
    exitStatus: trials.some(({ status }) => status === 'failed') ? 1 : 0,
    document: { run: runFolder, trials },
  };
}

/**
 * Runs what is not finished yet. A failed trial is recorded and the others still run.
 * @throws RequestError, Interrupted
 */
export async function runExperiment(given: Experiment, options: RunOptions): Promise<TrialResult[]> {
  const { engine, progress, signal, cacheFolder = defaultCacheFolder(), variants = [], reuse = [] } = options;
  const experiment = await withAnchorNormalisation(given, (note) => progress.line(note));
  await refuseWrongInputs(experiment, variants);
  const writer = await openRunFolder(options.runFolder, experiment, variants, engine, options.command);
  const results: TrialResult[] = [];
  for (const trial of trialsOf(experiment, variants)) {
    const finished = await writer.finished(trial);
    if (finished) {
      progress.line(`${trial.name}: finished before`);
      results.push(finished);
      continue;
    }
    const taken = await writer.takeOver(trial, reuse);
    if (taken) {
      progress.line(`${trial.name}: taken from ${taken.takenFrom}`);
      results.push(taken);
      continue;
    }
    try {
      results.push(await runTrial(trial, { engine, writer, progress, signal, cacheFolder }));
    } catch (error) {
      progress.stop();
      if (!(error instanceof TrialError)) throw error;
      results.push(await recordFailure(writer, trial, error));
      progress.line(`${trial.name} failed: ${error.message}${error.hint ? `\n${error.hint}` : ''}`);
    }
  }
  return results;
}

/** @throws the failure itself where even that cannot be recorded: the disk is full */
async function recordFailure(writer: RunWriter, trial: Trial, failure: TrialError): Promise<TrialResult> {
  const error = failure.message;
  try {
    await writer.status(trial, { state: 'failed', learningRate: 0, error });
    const nothing = { learningRate: 0, stitches: [], trainSeconds: 0, epochs: 0 };
    return await writer.result(trial, { status: 'failed', error, ...nothing });
  } catch (recording) {
    throw recording instanceof TrialError ? failure : recording;
  }
}
