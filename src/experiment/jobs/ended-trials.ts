/** What `--json` shows of the trials that `esta run --jobs` has brought to an end, those that failed included. */
import { recordedResult, resultVersion, type TrialResult } from '../../run-folder/result.js';
import { finishedResult, trialFolderIn } from '../../run-folder/run-writer.js';
import type { PlannedTrial } from '../plan.js';

/**
 * Results in the order of the plan; trials without one are left out.
 * @param failed names of trials that failed in this command, and why; a process that was killed has recorded nothing
 */
export async function endedTrials(
  runFolder: string,
  trials: readonly PlannedTrial[],
  failed: ReadonlyMap<string, string>,
): Promise<TrialResult[]> {
  const results = trials.map(async (trial) => {
    const finished = await finishedResult(runFolder, trial);
    const error = failed.get(trial.name);
    if (finished || error === undefined) return finished;
    const recorded = await recordedResult(trialFolderIn(runFolder, trial));
    return recorded?.error === error ? recorded : failedResult(trial, error);
  });
  return (await Promise.all(results)).filter((result) => result !== undefined);
}

function failedResult({ dataset, method, variant, seed }: PlannedTrial, error: string): TrialResult {
  const identity = { version: resultVersion, dataset, method, ...(variant && { variant }), seed } as const;
  return { ...identity, status: 'failed', error, learningRate: 0, stitches: [], trainSeconds: 0, epochs: 0 };
}
