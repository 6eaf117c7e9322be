/**
 * What is written of a training while it runs: a line for every epoch in metrics.jsonl and in importance.jsonl of the
 * trial's folder. All stages of a trial write into the same two files; a line says which stage it belongs to.
 */
import path from 'node:path';
import { appendJsonLine, keepJsonLines, readJsonLines, writeJsonLines } from '../shared/files.js';
import type { ImportanceScores } from '../stitching/importance.js';
import { type EpochMetrics, type EpochTest, metricsFile, testsFile } from './trial-journal.js';

/** A line of importance.jsonl. */
export interface EpochImportance {
  readonly stage: string;
  readonly epoch: number;
  readonly base_rate: number;
  /** By stitch id; null: never trained so far. Left out by methods that have no scores. */
  readonly scores?: ImportanceScores['scores'];
  /** How often each stitch was drawn in this epoch, by id. */
  readonly draws: readonly number[];
}

export const importanceFile = (trialFolder: string) => path.join(trialFolder, 'importance.jsonl');

export interface TrainingJournal {
  write(metrics: EpochMetrics, importance: EpochImportance): Promise<void>;
}

/** What all lines of a trial's journals say. */
type EpochLine = Pick<EpochMetrics, 'stage' | 'epoch'>;

/**
 * Opens the journal of a stage that goes on after `epochsDone` epochs: what a killed run wrote about later ones is
 * dropped, because they are trained again.
 */
export async function openJournal(trialFolder: string, stage: string, epochsDone: number): Promise<TrainingJournal> {
  const files = [metricsFile(trialFolder), importanceFile(trialFolder), testsFile(trialFolder)];
  for (const file of files) {
    await keepJsonLines<EpochLine>(file, (line) => line.stage !== stage || line.epoch <= epochsDone);
  }
  return {
    async write(metrics, importance) {
      await appendJsonLine(metricsFile(trialFolder), metrics);
      await appendJsonLine(importanceFile(trialFolder), importance);
    },
  };
}

/** Copies the lines of a run from the folder that it was trained in to that of its trial, over those that are there. */
export async function moveJournal(from: string, trialFolder: string, run: string): Promise<void> {
  for (const file of [metricsFile, importanceFile]) {
    const kept = (await readJsonLines<EpochLine>(file(trialFolder))).filter(({ stage }) => stage !== run);
    const lines = [...kept, ...(await readJsonLines<EpochLine>(file(from)))];
    await writeJsonLines(file(trialFolder), lines);
  }
}

/** Notes a test of what would be deployed after an epoch, unless that is noted already. */
export async function noteTest(
  trialFolder: string,
  { stage, epoch }: Pick<EpochTest, 'stage' | 'epoch'>,
  test: () => Promise<Pick<EpochTest, 'accuracy' | 'loss' | 'stitches'>>,
): Promise<void> {
  const lines = await readJsonLines<EpochTest>(testsFile(trialFolder));
  if (lines.some((line) => line.stage === stage && line.epoch === epoch)) return;
  const line: EpochTest = { stage, epoch, ...(await test()) };
  await appendJsonLine(testsFile(trialFolder), line);
}
