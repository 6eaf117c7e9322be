/**
 * What is written of a training while it runs: a line for every epoch in metrics.jsonl and in importance.jsonl of the
 * trial's folder. All stages of a trial write into the same two files; a line says which stage it belongs to.
 */
import path from 'node:path';
import { appendJsonLine, readJsonLines, writeAtomic } from '../shared/files.js';
import type { ImportanceScores } from '../stitching/importance.js';

/** A line of metrics.jsonl. */
export interface EpochMetrics {
  readonly stage: string;
  /** Epochs of this stage that are done. */
  readonly epoch: number;
  readonly step: number;
  readonly base_rate: number;
  /** Mean loss of the sampled stitches: distillation where a teacher teaches, cross-entropy where not. */
  readonly loss: number;
  /** Mean cross-entropy of the teacher, over the steps that had one. */
  readonly teacher_loss?: number;
  /** Seconds of training since the stage began. */
  readonly seconds: number;
}

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

export interface TrainingJournal {
  write(metrics: EpochMetrics, importance: EpochImportance): Promise<void>;
}

/**
 * Opens the journal of a stage that goes on after `epochsDone` epochs: what a killed run wrote about later ones is
 * dropped, because they are trained again.
 */
export async function openJournal(trialFolder: string, stage: string, epochsDone: number): Promise<TrainingJournal> {
  const metricsFile = path.join(trialFolder, 'metrics.jsonl');
  const importanceFile = path.join(trialFolder, 'importance.jsonl');
  for (const file of [metricsFile, importanceFile]) await dropLaterEpochs(file, stage, epochsDone);
  return {
    async write(metrics, importance) {
      await appendJsonLine(metricsFile, metrics);
      await appendJsonLine(importanceFile, importance);
    },
  };
}

async function dropLaterEpochs(file: string, stage: string, epochsDone: number): Promise<void> {
  const lines = await readJsonLines<{ readonly stage: string; readonly epoch: number }>(file);
  const kept = lines.filter((line) => line.stage !== stage || line.epoch <= epochsDone);
  // Written even where all are kept: a line that a kill cut has no newline, and the next would continue it.
  if (lines.length > 0) await writeAtomic(file, kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
