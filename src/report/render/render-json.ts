/** The report as one JSON document with raw numbers; field names are part of the command contract. */

import type { BeatenResult, ResultSegment } from '../../run-folder/result.js';
import { secondsOf, seriesOf } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { type PaperReference, paperAccuracy } from '../paper/paper.js';
import type { ReportContent } from '../report-content.js';
import type { Table } from './table.js';

export interface StitchJson {
  readonly id: number;
  readonly path: readonly ResultSegment[];
  readonly flops: number;
  readonly params: number;
  readonly trainable: number;
  /** Percent. */
  readonly accuracy: number;
  readonly paper_accuracy?: number;
  readonly importance?: number;
  readonly bin?: number;
}

export interface TrialJson {
  readonly run: string;
  readonly name: string;
  readonly dataset: string | null;
  readonly method: string | null;
  /** In an ablation, what the trial does differently. */
  readonly variant?: string;
  readonly seed: number | null;
  /** Of the last training. */
  readonly learning_rate: number | null;
  /** By training, where there are several: anchors alone, and what is stitched of them. */
  readonly learning_rates?: Readonly<Record<string, number>>;
  readonly status: 'finished' | 'failed' | 'running' | 'missing' | 'unreadable';
  readonly error?: string;
  /** Of the final runs. */
  readonly train_seconds?: number;
  /** Of the final runs and, where it is recorded, the grids. */
  readonly all_seconds?: number;
  readonly stitches: readonly StitchJson[];
  /** Chosen for a bin and not deployed, as a cheaper one is better; where that was looked for. */
  readonly left_out?: readonly BeatenResult[];
}

export interface ReportJson {
  readonly version: 1;
  readonly runs: readonly string[];
  readonly trials: readonly TrialJson[];
  readonly tables: readonly Table[];
  readonly problems: readonly string[];
  /** A command that goes on with what is unfinished, or shows more. */
  readonly next: string;
}

export function reportJson(content: ReportContent, reference: PaperReference): ReportJson {
  return {
    version: 1,
    runs: content.runs.map(({ folder }) => folder),
    trials: content.trials.map((trial) => trialJson(trial, reference)),
    tables: content.tables,
    problems: content.problems,
    next: content.next.command,
  };
}

function trialJson({ run, name, identity, state, error, result }: TrialRecord, reference: PaperReference): TrialJson {
  return {
    run,
    name,
    dataset: identity?.dataset ?? null,
    method: identity?.method ?? null,
    ...(identity?.variant && { variant: identity.variant }),
    seed: identity?.seed ?? null,
    learning_rate: identity?.learningRate || null, // 0 stands for none as yet
    ...((result?.stages?.length ?? 0) > 1 && {
      learning_rates: Object.fromEntries(result!.stages!.map(({ name, learningRate }) => [name, learningRate])),
    }),
    status: state === 'waiting' ? 'missing' : state,
    ...(error === undefined ? {} : { error }),
    ...(result ? { train_seconds: result.trainSeconds, all_seconds: secondsOf(result) } : {}),
    stitches: (result?.stitches ?? []).map((stitch) => {
      const paper = paperAccuracy(reference, { dataset: result!.dataset, method: seriesOf(result!) }, stitch);
      return paper === undefined ? stitch : { ...stitch, paper_accuracy: paper };
    }),
    ...(result?.beaten && { left_out: result.beaten }),
  };
}
