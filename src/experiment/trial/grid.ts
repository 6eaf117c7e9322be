/**
 * The grid of base learning rates of a stage. Each is tried in a folder of its own, by any process that claims it; whoever
 * runs the trial gathers them in grid.jsonl of the trial's folder.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { scoreOf } from '../../evaluation/quality.js';
import { sweepTrial } from '../../run-folder/leftovers.js';
import { claimFolder, type HeldElsewhere, type Holder, type Lock, LostLock } from '../../run-folder/lock.js';
import { moveJournal } from '../../run-folder/training-journal.js';
import { TrialError } from '../../shared/errors.js';
import { appendJsonLine, keepJsonLines, readJsonLines } from '../../shared/files.js';
import type { LearningRate } from '../recipe.js';

/** A line of grid.jsonl. */
export interface GridEntry {
  readonly stage: string;
  readonly base_rate: number;
  /** Mean accuracy of the deployed stitches on the validation images, percent; 0 where it diverged. */
  readonly accuracy: number;
  /** Of language models, which are chosen by it: mean validation loss; left out where it diverged. */
  readonly loss?: number;
  /** Of training; version 0.2.0 and before left it out. */
  readonly seconds?: number;
  /** Why there is nothing to validate: the loss, or a logit, was not finite. */
  readonly diverged?: string;
}

export type Tried = Pick<GridEntry, 'accuracy' | 'loss' | 'seconds' | 'diverged'>;

/** The lines of a trial's grid.jsonl; [] where there is none. */
export function readGrid(trialFolder: string): Promise<GridEntry[]> {
  return readJsonLines<GridEntry>(gridFile(trialFolder));
}

/**
 * The learning rate with the best accuracy, of language models with the lowest loss; of equal ones the first. One that
 * diverged is worse than all others. Rates that other processes try meanwhile are waited for.
 * @param tryOut trains with one of them in a folder of its own and validates; called for those that are not noted yet
 * @throws TrialError where all of them diverged
 */
export async function chooseLearningRate(
  trialFolder: string,
  stage: string,
  learningRates: readonly LearningRate[],
  tryOut: (learningRate: LearningRate, index: number, folder: string) => Promise<Tried>,
  waiting: Waiting = { wait: () => setTimeout(1000) },
): Promise<LearningRate> {
  await keepJsonLines<GridEntry>(gridFile(trialFolder), () => true);
  let left = [...learningRates.keys()];
  while (left.length > 0) {
    const held: number[] = [];
    for (const index of left) {
      const learningRate = learningRates[index]!;
      const elsewhere = await tryRate(trialFolder, stage, learningRate, (folder) =>
        tryOut(learningRate, index, folder),
      );
      if (!elsewhere) continue;
      held.push(index);
      waiting.onHeld?.(learningRate.base, elsewhere.heldBy);
    }
    left = held;
    if (left.length > 0) await waiting.wait();
  }
  await gather(trialFolder, stage, learningRates);
  return best(stage, learningRates, await readGrid(trialFolder));
}

export interface Waiting {
  /** Called before those that others hold are looked at again; by default a second. */
  readonly wait: () => Promise<void>;
  readonly onHeld?: (baseRate: number, holder: Holder | undefined) => void;
}

function best(stage: string, learningRates: readonly LearningRate[], noted: readonly GridEntry[]): LearningRate {
  const entryOf = ({ base }: LearningRate) => noted.find((entry) => entry.stage === stage && entry.base_rate === base)!;
  const learned = learningRates.filter((rate) => entryOf(rate).diverged === undefined);
  const score = (rate: LearningRate) => scoreOf(entryOf(rate));
  if (learned.length > 0) return learned.reduce((a, b) => (score(b) > score(a) ? b : a));
  const diverged = learningRates.map((rate) => `  ${rate.base}: ${entryOf(rate).diverged}`);
  throw new TrialError(
    `all base learning rates of the grid diverged:\n${diverged.join('\n')}`,
    'Add lower ones to training.base_learning_rates.',
  );
}

/**
 * Tries a rate in a folder of its own in that of the trial, and notes it there, unless that is done.
 * @returns what another process is at
 */
export async function tryRate(
  trialFolder: string,
  stage: string,
  { base }: LearningRate,
  tryOut: (folder: string) => Promise<Tried>,
): Promise<HeldElsewhere | undefined> {
  if (isNoted(await readGrid(trialFolder), stage, base)) return undefined;
  const folder = rateFolder(trialFolder, stage, base);
  const lock = await claimFolder(folder);
  if ('heldBy' in lock) return lock;
  let isDone = false;
  try {
    await keepJsonLines<GridEntry>(gridFile(folder), () => true);
    isDone = isNoted([...(await readGrid(trialFolder)), ...(await readGrid(folder))], stage, base);
    if (!isDone) {
      await sweepTrial(folder, () => false);
      const entry: GridEntry = { stage, base_rate: base, ...(await tryOut(folder)) };
      await appendJsonLine(gridFile(folder), entry);
      await sweepTrial(folder, () => true);
      isDone = true;
    }
    return undefined;
  } catch (error) {
    // The lock of the trial may be what was lost.
    if (error instanceof LostLock && (await isLost(lock))) return { heldBy: error.taker };
    throw error;
  } finally {
    await lock.release(isDone);
  }
}

async function isLost(lock: Lock): Promise<boolean> {
  return lock.check().then(
    () => false,
    () => true,
  );
}

/** Sweeps the folder of a trial before it goes on: checkpoints of rates that are noted have done their work. */
export async function sweepTried(trialFolder: string): Promise<void> {
  const tried = (await readGrid(trialFolder)).map(({ stage, base_rate }) => gridRun(stage, base_rate));
  await sweepTrial(trialFolder, (run) => tried.includes(run));
}

/** Moves what the folders of rates hold into the trial's own files, in the order of the grid; removes the folders. */
async function gather(trialFolder: string, stage: string, learningRates: readonly LearningRate[]): Promise<void> {
  const noted = await readGrid(trialFolder);
  for (const { base } of learningRates) {
    const folder = rateFolder(trialFolder, stage, base);
    if (!isNoted(noted, stage, base)) {
      const entry = (await readGrid(folder)).find((entry) => entry.base_rate === base)!;
      await moveJournal(folder, trialFolder, gridRun(stage, base));
      await appendJsonLine(gridFile(trialFolder), entry);
    }
    await rm(folder, { recursive: true, force: true });
  }
}

function isNoted(entries: readonly GridEntry[], stage: string, baseRate: number): boolean {
  return entries.some((entry) => entry.stage === stage && entry.base_rate === baseRate);
}

/** Where a rate is tried, so that several processes work on one trial. */
export function rateFolder(trialFolder: string, stage: string, baseRate: number): string {
  return path.join(trialFolder, gridRun(stage, baseRate));
}

/** Name of the run of a rate, in file names and journals. */
export function gridRun(stage: string, baseRate: number): string {
  return `${stage}-grid-${baseRate}`;
}

const gridFile = (trialFolder: string) => path.join(trialFolder, 'grid.jsonl');
