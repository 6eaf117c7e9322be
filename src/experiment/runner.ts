/** The story of one experiment: engine, Ctrl-C, its trials one after the other, table; what is finished is not run again. */
import path from 'node:path';
import type { Experiment } from '../config/schema/experiment.js';
import type { Trial, Variant } from '../config/trials.js';
import { defaultCacheFolder } from '../data/cache-folder.js';
import { createEngine } from '../engine/select.js';
import { renderRunSummary } from '../report/summary.js';
import { sweepFinished } from '../run-folder/leftovers.js';
import { claimFolder, describeHolder, type Holder, LostLock } from '../run-folder/lock.js';
import type { TrialResult } from '../run-folder/result.js';
import { finishedResult, openRunFolder, type RunWriter } from '../run-folder/run-writer.js';
import type { Device, EngineChoice } from '../shared/engine-names.js';
import { RequestError, TrialError } from '../shared/errors.js';
import { interruptSignal } from '../shared/interrupt.js';
import { estaCommand, formatNextStep } from '../shared/next-step.js';
import { createProgress } from '../shared/progress.js';
import type { Runtime } from '../training/runtime.js';
import { type RequestedTrial, requestedRun } from './recorded-trials.js';
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
  const { engine, progress, runFolder, cacheFolder = defaultCacheFolder(), reuse = [] } = options;
  const say = (note: string) => progress.line(note);
  const { experiment, variants, trials } = await requestedRun(given, options.variants ?? [], {
    ...{ runFolder, engine, cacheFolder, say },
  });
  const writer = await openRunFolder(runFolder, { given, experiment, variants }, engine, options.command);
  const results: TrialResult[] = [];
  const heldByOthers: string[] = [];
  for (const requested of trials) {
    const { trial, finished } = requested;
    if (finished) {
      say(`${trial.name}: finished before${finished.note}`);
      await sweepFinished(writer.trialFolder(trial));
    }
    const surroundings = { ...options, cacheFolder, reuse, isAlone: trials.length === 1 };
    const outcome = finished?.result ?? (await claimedAndRun(requested, writer, surroundings));
    if ('heldBy' in outcome) {
      heldByOthers.push(`${trial.name} is being run by ${describeHolder(outcome.heldBy)}`);
      say(heldByOthers.at(-1)!);
    } else results.push(outcome);
  }
  if (heldByOthers.length > 0 && heldByOthers.length === trials.filter(({ finished }) => !finished).length) {
    throw new RequestError(
      heldByOthers.join('\n'),
      'Nothing was done here. Wait for it, or stop it and run the same command again: it goes on from the last checkpoint.',
    );
  }
  return results;
}

interface Surroundings extends RunOptions {
  readonly cacheFolder: string;
  readonly reuse: readonly string[];
  /** Whether the experiment is this trial. */
  readonly isAlone: boolean;
}

type Claimed = TrialResult | { readonly heldBy: Holder };

/** Runs a trial unless another process is at it. */
async function claimedAndRun(requested: RequestedTrial, writer: RunWriter, options: Surroundings): Promise<Claimed> {
  const { trial } = requested;
  const { runFolder, progress, isAlone } = options;
  const lock = await claimFolder(writer.trialFolder(trial));
  if ('heldBy' in lock) return lock;
  let result: TrialResult | undefined;
  try {
    // Another process may have finished it since this one looked.
    result = (await finishedResult(runFolder, trial)) ?? (await takenOrRun(requested, writer, options));
    return result;
  } catch (error) {
    progress.stop();
    if (error instanceof LostLock && error.taker) {
      progress.line(error.message);
      return { heldBy: error.taker };
    }
    // An image or a checkpoint that cannot be read stops no other trial; a single one is the whole request.
    if (!(error instanceof TrialError || (error instanceof RequestError && !isAlone))) throw error;
    progress.line(`${trial.name} failed: ${error.message}${error.hint ? `\n${error.hint}` : ''}`);
    return await recordFailure(writer, trial, error);
  } finally {
    await lock.release(result?.status === 'finished');
  }
}

async function takenOrRun(
  { trial, settings, recorded, inputs }: RequestedTrial,
  writer: RunWriter,
  { engine, progress, signal, cacheFolder, reuse }: Surroundings,
): Promise<TrialResult> {
  const identity = recorded ?? { ...settings, ...(await inputs()) };
  const taken = await writer.takeOver(trial, identity, reuse);
  if (!taken) return runTrial(trial, { engine, writer, identity, progress, signal, cacheFolder });
  progress.line(`${trial.name}: taken from ${taken.takenFrom}`);
  return taken;
}

/** @throws the failure itself where even that cannot be recorded: the disk is full */
async function recordFailure(
  writer: RunWriter,
  trial: Trial,
  failure: TrialError | RequestError,
): Promise<TrialResult> {
  const error = failure.message;
  try {
    await writer.status(trial, { state: 'failed', learningRate: 0, error });
    const nothing = { learningRate: 0, stitches: [], trainSeconds: 0, epochs: 0 };
    return await writer.result(trial, { status: 'failed', error, ...nothing });
  } catch (recording) {
    throw recording instanceof TrialError ? failure : recording;
  }
}
