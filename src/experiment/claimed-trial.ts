/** A trial as one process runs it: claimed, taken over from another run or trained, its failure recorded. */
import type { Trial } from '../config/trials.js';
import { claimFolder, type HeldElsewhere, LostLock } from '../run-folder/lock.js';
import type { TrialResult } from '../run-folder/result.js';
import { finishedResult, type RunWriter } from '../run-folder/run-writer.js';
import { RequestError, TrialError } from '../shared/errors.js';
import type { Runtime } from '../training/runtime.js';
import type { RequestedTrial } from './recorded-trials.js';
import { runTrial } from './trial/trial.js';

export interface Surroundings extends Runtime {
  readonly runFolder: string;
  readonly cacheFolder: string;
  /** Run folders, or folders that hold some, whose finished trials of the same settings are taken over. */
  readonly reuse: readonly string[];
  /** Whether the experiment is this trial. */
  readonly isAlone: boolean;
  /** Is told why the trial has failed, before that is recorded. */
  onFailure(failure: TrialError | RequestError): void;
}

/**
 * Runs a trial unless another process is at it.
 * @param until name of a stage: ends once its final run is saved, and gives nothing
 * @throws RequestError where the trial is all that was asked for and cannot be run, Interrupted
 */
export async function claimedTrial(
  requested: RequestedTrial,
  writer: RunWriter,
  options: Surroundings,
  until?: string,
): Promise<TrialResult | HeldElsewhere | undefined> {
  const { trial } = requested;
  const { runFolder, progress, isAlone, onFailure } = options;
  const lock = await claimFolder(writer.trialFolder(trial));
  if ('heldBy' in lock) return lock;
  let result: TrialResult | undefined;
  try {
    // Another process may have finished it since this one looked.
    result = (await finishedResult(runFolder, trial)) ?? (await takenOrRun(requested, writer, options, until));
    return result;
  } catch (error) {
    progress.stop();
    if (error instanceof LostLock) {
      progress.line(error.message);
      // Whoever took over may have ended it meanwhile, or have let go.
      return (await finishedResult(runFolder, trial)) ?? { heldBy: error.taker };
    }
    // An image or a checkpoint that cannot be read stops no other trial; a single one is the whole request.
    if (!(error instanceof TrialError || (error instanceof RequestError && !isAlone))) throw error;
    onFailure(error);
    return await recordFailure(writer, trial, error);
  } finally {
    await lock.release(result?.status === 'finished');
  }
}

async function takenOrRun(
  { trial, settings, recorded, inputs }: RequestedTrial,
  writer: RunWriter,
  { engine, progress, signal, cacheFolder, reuse }: Surroundings,
  until: string | undefined,
): Promise<TrialResult | undefined> {
  const identity = recorded ?? { ...settings, ...(await inputs()) };
  const taken = await writer.takeOver(trial, identity, reuse);
  if (!taken) return runTrial(trial, { engine, writer, identity, progress, signal, cacheFolder }, until);
  progress.line(`${trial.name}: taken from ${taken.takenFrom}`);
  return taken;
}

/** @throws the failure itself where even that cannot be recorded: the disk is full */
export async function recordFailure(
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
