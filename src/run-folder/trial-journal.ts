/** What a trial notes while it trains, line by line; the runner writes it, reports draw Figure C from it. */
import path from 'node:path';
import { z } from 'zod';
import { RequestError } from '../shared/errors.js';
import { readJsonLines } from '../shared/files.js';

/** The stage that trains the stitched network; the others train an anchor alone. */
export const stitchedStage = 'stitched';

/** A line of metrics.jsonl. */
export interface EpochMetrics {
  readonly stage: string;
  /** Epochs of this stage that are done. */
  readonly epoch: number;
  readonly step: number;
  readonly base_rate: number;
  /** Mean loss of the sampled stitches: distillation where a teacher teaches, cross-entropy where not. */
  readonly loss: number;
  /** Mean cross-entropy of the sampled stitches with the labels, whatever they learn from. */
  readonly label_loss?: number;
  /** Mean cross-entropy of the teacher, over the steps that had one. */
  readonly teacher_loss?: number;
  /** Seconds of training since the stage began. */
  readonly seconds: number;
}

/** A line of tests.jsonl: what would have been deployed after an epoch, on the test images. Nothing is chosen by it. */
export interface EpochTest {
  readonly stage: string;
  readonly epoch: number;
  /** Mean over the stitches, percent. */
  readonly accuracy: number;
  /** Of language models: mean validation loss. */
  readonly loss?: number;
  readonly stitches: readonly { readonly id: number; readonly accuracy: number; readonly loss?: number }[];
}

export const metricsFile = (trialFolder: string) => path.join(trialFolder, 'metrics.jsonl');
export const testsFile = (trialFolder: string) => path.join(trialFolder, 'tests.jsonl');

export interface TrialJournal {
  readonly metrics: readonly EpochMetrics[];
  readonly tests: readonly EpochTest[];
}

/** What reports read of a line. */
const line = z.looseObject({ stage: z.string(), epoch: z.number() });
const metricsLine = line.extend({ loss: z.number(), label_loss: z.number().nullish() }); // null: infinite
const testLine = line.extend({ accuracy: z.number() });

async function readLines<T>(file: string, schema: z.ZodType): Promise<T[]> {
  const lines = await readJsonLines<T>(file);
  const wrong = lines.findIndex((content) => !schema.safeParse(content).success);
  if (wrong === -1) return lines;
  throw new RequestError(`${file}: ${JSON.stringify(lines[wrong])} is no line of a training`);
}

/** The final run of the stitched network, by epoch (runs of the grid have longer names); empty where nothing was noted. */
export async function readStitchedJournal(trialFolder: string): Promise<TrialJournal> {
  const [metrics, tests] = await Promise.all([
    readLines<EpochMetrics>(metricsFile(trialFolder), metricsLine),
    readLines<EpochTest>(testsFile(trialFolder), testLine),
  ]);
  return {
    metrics: metrics.filter(({ stage }) => stage === stitchedStage),
    tests: tests.filter(({ stage }) => stage === stitchedStage),
  };
}
