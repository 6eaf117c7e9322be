/** The grid of base learning rates of a stage, tried one after the other: grid.jsonl of the trial's folder. */
import path from 'node:path';
import { TrialError } from '../../shared/errors.js';
import { appendJsonLine, keepJsonLines, readJsonLines } from '../../shared/files.js';
import type { LearningRate } from '../recipe.js';

/** A line of grid.jsonl. */
export interface GridEntry {
  readonly stage: string;
  readonly base_rate: number;
  /** Mean accuracy of the deployed stitches on the validation images, percent; 0 where it diverged. */
  readonly accuracy: number;
  /** Of training; version 0.2.0 and before left it out. */
  readonly seconds?: number;
  /** Why there is nothing to validate: the loss was not finite. */
  readonly diverged?: string;
}

export type Tried = Pick<GridEntry, 'accuracy' | 'seconds' | 'diverged'>;

/** The lines of a trial's grid.jsonl; [] where there is none. */
export function readGrid(trialFolder: string): Promise<GridEntry[]> {
  return readJsonLines<GridEntry>(gridFile(trialFolder));
}

/**
 * The learning rate with the best accuracy; of equal ones the first. One that diverged is worse than all others.
 * @throws TrialError where all of them diverged
 * @param tryOut trains with one of them and validates; called for those that are not noted yet
 */
export async function chooseLearningRate(
  trialFolder: string,
  stage: string,
  learningRates: readonly LearningRate[],
  tryOut: (learningRate: LearningRate, index: number) => Promise<Tried>,
): Promise<LearningRate> {
  const file = gridFile(trialFolder);
  await keepJsonLines<GridEntry>(file, () => true);
  const noted = (await readGrid(trialFolder)).filter((entry) => entry.stage === stage);
  let best: { readonly learningRate: LearningRate; readonly accuracy: number } | undefined;
  const diverged: string[] = [];
  for (const [index, learningRate] of learningRates.entries()) {
    const before = noted.find(({ base_rate }) => base_rate === learningRate.base);
    const tried = before ?? { stage, base_rate: learningRate.base, ...(await tryOut(learningRate, index)) };
    if (!before) await appendJsonLine(file, tried satisfies GridEntry);
    const { accuracy } = tried;
    if (tried.diverged !== undefined) diverged.push(`${learningRate.base}: ${tried.diverged}`);
    else if (!best || accuracy > best.accuracy) best = { learningRate, accuracy };
  }
  if (best) return best.learningRate;
  throw new TrialError(
    `all base learning rates of the grid diverged:\n${diverged.map((line) => `  ${line}`).join('\n')}`,
    'Add lower ones to training.base_learning_rates.',
  );
}

/** Name of the run of a rate, in file names and journals. */
export function gridRun(stage: string, baseRate: number): string {
  return `${stage}-grid-${baseRate}`;
}

const gridFile = (trialFolder: string) => path.join(trialFolder, 'grid.jsonl');
