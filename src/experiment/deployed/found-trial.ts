/** A finished trial of a run folder, found by what was typed. It loads nothing that computes: such commands answer at once. */
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { commandOf, findRunFolders, type RunFolder, readRunFolder } from '../../run-folder/run-folder.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { RequestError } from '../../shared/errors.js';
import { formatNextStep } from '../../shared/next-step.js';

/**
 * Reads what a finished trial has deployed; no weights.
 * @param name of the trial folder; may be left out where the run has one finished trial
 * @throws RequestError when there is no such run or trial
 */
export async function findTrial(runFolder: string, name?: string): Promise<MeasuredRun> {
  const [folder, ...others] = await findRunFolders([runFolder]);
  if (others.length > 0) {
    throw new RequestError(`${runFolder} holds ${others.length + 1} run folders`, `Give one of them: ${folder}.`);
  }
  const run = await readRunFolder(folder!);
  const trial = chosenTrial(run, name);
  return { folder: folder!, name: trial.name, result: trial.result!, machines: run.machines };
}

function chosenTrial(run: RunFolder, name: string | undefined): TrialRecord {
  const { folder } = run;
  const finished = run.trials.filter(({ result }) => result);
  const matching = name === undefined ? finished : finished.filter((trial) => trial.name === name);
  if (matching.length === 1) return matching[0]!;
  const names = finished.map((trial) => trial.name).join(', ') || 'none';
  if (name === undefined && finished.length === 0) {
    throw new RequestError(
      `${folder} has no finished trial`,
      formatNextStep({ purpose: 'The run goes on with:', command: commandOf(run) }),
    );
  }
  throw new RequestError(
    name === undefined
      ? `${folder} has ${finished.length} finished trials`
      : `${folder} has no finished trial ${JSON.stringify(name)}`,
    `Choose one with --trial: ${names}.`,
  );
}
