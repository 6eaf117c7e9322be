/** The grid of base learning rates of a stage, tried one after the other: grid.jsonl of the trial's folder. */
import path from 'node:path';
import { appendJsonLine, keepJsonLines, readJsonLines } from '../../shared/files.js';
import type { LearningRate } from '../recipe.js';

/** A line of grid.jsonl. */
export interface GridEntry {
  readonly stage: string;
  readonly base_rate: number;
  /** Mean accuracy of the deployed stitches on the validation images, percent. */
  readonly accuracy: number;
}

/** The lines of a trial's grid.jsonl; [] where there is none. */
export function readGrid(trialFolder: string): Promise<GridEntry[]> {
  return readJsonLines<GridEntry>(gridFile(trialFolder));
}

/**
 * The learning rate with the best accuracy; of equal ones the first.
 * @param tryOut trains with one of them and validates; called for those that are not noted yet
 */
export async function chooseLearningRate(
  trialFolder: string,
  stage: string,
  learningRates: readonly LearningRate[],
  tryOut: (learningRate: LearningRate, index: number) => Promise<number>,
): Promise<LearningRate> {
  const file = gridFile(trialFolder);
  await keepJsonLines<GridEntry>(file, () => true);
  const noted = (await readGrid(trialFolder)).filter((entry) => entry.stage === stage);
  let best: { readonly learningRate: LearningRate; readonly accuracy: number } | undefined;
  for (const [index, learningRate] of learningRates.entries()) {
    const before = noted.find(({ base_rate }) => base_rate === learningRate.base);
    const accuracy = before?.accuracy ?? (await tryOut(learningRate, index));
    if (!before) await appendJsonLine(file, { stage, base_rate: learningRate.base, accuracy } satisfies GridEntry);
    if (!best || accuracy > best.accuracy) best = { learningRate, accuracy };
  }
  return best!.learningRate;
}

const gridFile = (trialFolder: string) => path.join(trialFolder, 'grid.jsonl');
