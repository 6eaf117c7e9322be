/** The trials of one experiment in one process, one after the other; what is finished is not run again. */
import type { Experiment } from '../config/schema/experiment.js';
import type { Variant } from '../config/trials.js';
import { sweepFinished } from '../run-folder/leftovers.js';
import type { TrialResult } from '../run-folder/result.js';
import { openRunFolder } from '../run-folder/run-writer.js';
import { RequestError, type TrialError } from '../shared/errors.js';
import { defaultCacheFolder } from '../shared/folders/cache-folder.js';
import type { Runtime } from '../training/runtime.js';
import { claimedTrial } from './claimed-trial.js';
import { describeOutcome, failedBy } from './items/run-items.js';
import { requestedRun } from './recorded-trials.js';

export interface WhatToRun {
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

/** What to do where other processes are at all that is left. */
export const nothingDone =
  'Nothing was done here. Wait for it, or stop it and run the same command again: it goes on from the last checkpoint.';

/**
 * Runs what is not finished yet. A failed trial is recorded and the others still run.
 * @throws RequestError, Interrupted
 */
export async function runExperiment(given: Experiment, options: RunOptions): Promise<TrialResult[]> {
  const { engine, progress, runFolder, cacheFolder = defaultCacheFolder(), reuse = [] } = options;
  const say = (note: string) => progress.line(note);
  const { experiment, variants, trials } = await requestedRun(given, options.variants ?? [], {
    ...{ runFolder, engine, cacheFolder, reuse, say },
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
    const onFailure = (failure: TrialError | RequestError) => say(describeOutcome(trial.name, failedBy(failure)));
    const surroundings = { ...options, cacheFolder, reuse, isAlone: trials.length === 1, onFailure };
    const outcome = finished?.result ?? (await claimedTrial(requested, writer, surroundings))!;
    if ('heldBy' in outcome) {
      heldByOthers.push(describeOutcome(trial.name, { state: 'held', heldBy: outcome.heldBy }));
      say(heldByOthers.at(-1)!);
    } else results.push(outcome);
  }
  if (heldByOthers.length > 0 && heldByOthers.length === trials.filter(({ finished }) => !finished).length) {
    throw new RequestError(heldByOthers.join('\n'), nothingDone);
  }
  return results;
}
