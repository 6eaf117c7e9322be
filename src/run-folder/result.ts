/**
 * What a trial leaves behind, `trials/<name>/status.json` and `trials/<name>/result.json`: written by the experiment
 * runner, read by the report. A trial is one data set x method x seed; the grid of learning rates is a stage inside it.
 */
import path from 'node:path';
import { z } from 'zod';
import { check, invalidFile } from '../config/problems.js';
import { type Precision, precisions } from '../shared/engine-names.js';
import { RequestError } from '../shared/errors.js';
import { readJson } from '../shared/files.js';
import type { TrainableParams } from '../stitching/space/cost.js';

/** Format of status.json and result.json; a change that an old reader would misunderstand raises it. */
export const resultVersion = 1;

/** Blocks `from` (included) to `to` (excluded) of one anchor, by the name that the experiment gives it. */
export interface ResultSegment {
  readonly anchor: string;
  readonly blocks: readonly [from: number, to: number];
}

/** One evaluated stitch. An anchor alone has one segment. */
export interface StitchResult {
  /** Number of the stitch in the stitch space. */
  readonly id: number;
  readonly path: readonly ResultSegment[];
  /** Multiply-accumulates of one image, as fvcore counts them. */
  readonly flops: number;
  /** Parameters of the deployed stitch. */
  readonly params: number;
  /** Trainable parameters on the path of the stitch. */
  readonly trainable: number;
  /** Top-1 accuracy on the test split, percent; of language models of the next token, on the validation texts. */
  readonly accuracy: number;
  /** Of language models: cross-entropy of the validation texts, nats per learned token. */
  readonly loss?: number;
  /** Of language models, on test texts, where some were held out. */
  readonly test?: TextScores;
  /** Importance score at the end of training; methods without one leave it out. */
  readonly importance?: number;
  /** FLOPs bin that the stitch was deployed for; the largest anchor has none. */
  readonly bin?: number;
}

export interface TextScores {
  /** Next tokens that are right, percent. */
  readonly accuracy: number;
  /** Cross-entropy, nats per learned token. */
  readonly loss: number;
}

/** What was chosen for a bin, and not deployed: a cheaper deployed stitch beats it on the validation images. */
export interface BeatenResult {
  readonly id: number;
  readonly bin: number;
  /** Id of the cheaper one. */
  readonly by: number;
}

/** One training of a trial: the stitched network, or an anchor alone. */
export interface StageResult {
  readonly name: string;
  readonly learningRate: number;
  readonly epochs: number;
  readonly trainSeconds: number;
  /** Of all networks of the training together. */
  readonly trainable: TrainableParams;
  /** The grid of learning rates: mean validation accuracy of what would be deployed, percent. Left out without a grid. */
  readonly grid?: readonly GridResult[];
  /** Of training, over all runs of the grid; those that diverged are not counted. */
  readonly gridSeconds?: number;
}

export interface GridResult {
  readonly learningRate: number;
  /** 0 where it diverged. */
  readonly accuracy: number;
  /** Of language models: mean validation loss. */
  readonly loss?: number;
  /** Why there was nothing to validate. */
  readonly diverged?: string;
}

/** What a stitch has gained by training further alone. */
export interface FinetunedResult {
  /** Folder of the trial whose shared training it went on from. */
  readonly from: string;
  /** Accuracy at the end of the shared training, percent. */
  readonly shared: SplitAccuracies;
  readonly alone: SplitAccuracies;
}

interface SplitAccuracies {
  /** Left out where these images were trained on, or there are none. */
  readonly validation?: number;
  readonly test: number;
}

/** The same of a language model; nothing was chosen by the test texts. */
export interface FinetunedLanguageResult extends Pick<FinetunedResult, 'from'> {
  readonly shared: SplitScores;
  readonly alone: SplitScores;
}

export interface SplitScores {
  readonly validation: TextScores;
  /** Left out where no test texts were held out. */
  readonly test?: TextScores;
}

/** What status.json and result.json both say of their trial. */
interface DescribedTrial {
  readonly version: typeof resultVersion;
  readonly dataset: string;
  readonly method: string;
  /** In an ablation, what the trial does differently: "eta 0.8". */
  readonly variant?: string;
  readonly seed: number;
  /** Base learning rate of the final run, before scaling by the batch size. */
  readonly learningRate: number;
  /** Fingerprint of what the trials of a run have in common; trials that differ in it are pointed out. */
  readonly configuration?: string;
}

export interface TrialResult extends DescribedTrial {
  readonly status: 'finished' | 'failed';
  /** Fingerprint of identity.json, all that decides the numbers: trials that agree in it are one and the same. */
  readonly settings?: string;
  /** Folder of the trial with the same settings that this one was copied from, instead of training it again. */
  readonly takenFrom?: string;
  /** Why a failed trial failed. */
  readonly error?: string;
  readonly stitches: readonly StitchResult[];
  /** Left out where nothing was compared (evaluation.leave_out_beaten). */
  readonly beaten?: readonly BeatenResult[];
  /** Of all final runs of the trial; the grid is not counted. */
  readonly trainSeconds: number;
  /** Of choosing the deployed stitches: next to nothing by importance scores, all evaluations where those choose. */
  readonly deploySeconds?: number;
  readonly epochs: number;
  /** What matrix products were computed in; left out: float32. */
  readonly precision?: Precision;
  readonly stages?: readonly StageResult[];
  /** Relative error of the least-squares start of each stitching layer: 0 is perfect, 1 no better than a constant. */
  readonly layerStartErrors?: readonly number[];
  /** Of a trial that trained one stitch of another trial further. */
  readonly finetuned?: FinetunedResult;
  /** The same, of language models. */
  readonly finetunedLanguage?: FinetunedLanguageResult;
}

/** Where a trial stands. The runner writes `waiting` for every planned trial before it starts the first. */
export interface TrialStatus extends DescribedTrial {
  readonly state: 'waiting' | 'running' | 'finished' | 'failed';
  /** Epochs done, of `epochs`: those of all trainings of the trial, the grid included. */
  readonly epoch?: number;
  readonly epochs?: number;
  /** Names of the stages whose final run is saved; left out: none, or not noted. */
  readonly trained?: readonly string[];
  /** Last sign of life, ISO 8601. */
  readonly updatedAt?: string;
  readonly error?: string;
}

const count = z.number().int().nonnegative();
const percent = z.number().min(0).max(100);

const describedTrial = {
  version: z.literal(resultVersion),
  dataset: z.string().min(1),
  method: z.string().min(1),
  variant: z.string().min(1).exactOptional(),
  seed: count,
  learningRate: z.number().nonnegative(),
  configuration: z.string().exactOptional(),
};

const textScores = z.object({ accuracy: percent, loss: z.number().nonnegative() });

const stitch = z.object({
  id: count,
  path: z.array(z.object({ anchor: z.string().min(1), blocks: z.tuple([count, count]) })).min(1),
  flops: z.number().positive(),
  params: count,
  trainable: count,
  accuracy: percent,
  loss: z.number().nonnegative().exactOptional(),
  test: textScores.exactOptional(),
  importance: z.number().exactOptional(),
  bin: count.exactOptional(),
});

const groups = ['anchors', 'lowRank', 'stitchingLayers', 'stitchBias', 'heads', 'total'] as const;

const stage = z.object({
  name: z.string().min(1),
  learningRate: z.number().nonnegative(),
  epochs: count,
  trainSeconds: z.number().nonnegative(),
  trainable: z.object(
    Object.fromEntries(groups.map((group) => [group, count])) as Record<keyof TrainableParams, typeof count>,
  ),
  grid: z
    .array(
      z.object({
        learningRate: z.number().nonnegative(),
        accuracy: percent,
        loss: z.number().nonnegative().exactOptional(),
        diverged: z.string().exactOptional(),
      }),
    )
    .exactOptional(),
  gridSeconds: z.number().nonnegative().exactOptional(),
});

const accuracies = z.object({ validation: percent.exactOptional(), test: percent });
const scores = z.object({ validation: textScores, test: textScores.exactOptional() });

const trialResult: z.ZodType<TrialResult> = z.object({
  ...describedTrial,
  status: z.enum(['finished', 'failed']),
  settings: z.string().exactOptional(),
  takenFrom: z.string().exactOptional(),
  error: z.string().exactOptional(),
  stitches: z.array(stitch),
  beaten: z.array(z.object({ id: count, bin: count, by: count })).exactOptional(),
  trainSeconds: z.number().nonnegative(),
  deploySeconds: z.number().nonnegative().exactOptional(),
  epochs: z.number().nonnegative(),
  precision: z.enum(precisions).exactOptional(),
  stages: z.array(stage).exactOptional(),
  layerStartErrors: z.array(z.number().nonnegative()).exactOptional(),
  finetuned: z.object({ from: z.string(), shared: accuracies, alone: accuracies }).exactOptional(),
  finetunedLanguage: z.object({ from: z.string(), shared: scores, alone: scores }).exactOptional(),
});

const trialStatus: z.ZodType<TrialStatus> = z.object({
  ...describedTrial,
  state: z.enum(['waiting', 'running', 'finished', 'failed']),
  epoch: z.number().nonnegative().exactOptional(),
  epochs: z.number().nonnegative().exactOptional(),
  trained: z.array(z.string()).exactOptional(),
  updatedAt: z.string().exactOptional(),
  error: z.string().exactOptional(),
});

/** Checks the content of a result.json; a RequestError names `file` and every problem with its dotted path. */
export function parseTrialResult(content: unknown, file: string): TrialResult {
  return parse(
    trialResult,
    content,
    file,
    `Delete the trial folder, ${path.dirname(file)}, and run the experiment again: it trains the trial anew.`,
  );
}

/** Checks the content of a status.json; a RequestError names `file` and every problem with its dotted path. */
export function parseTrialStatus(content: unknown, file: string): TrialStatus {
  return parse(trialStatus, content, file, 'Delete the file and run the experiment again: the trial goes on.');
}

/**
 * What result.json of a trial's folder says, of a failed trial too; undefined where there is none, or it is no JSON.
 * @throws RequestError as `parseTrialResult`
 */
export async function recordedResult(trialFolder: string): Promise<TrialResult | undefined> {
  const file = path.join(trialFolder, 'result.json');
  return readJson(file).then(
    (content) => parseTrialResult(content, file),
    () => undefined,
  );
}

/** Names of the stages of a trial whose final run is saved, as its status.json says; one that is no JSON says nothing. */
export async function trainedStages(trialFolder: string): Promise<readonly string[]> {
  const file = path.join(trialFolder, 'status.json');
  return readJson(file).then(
    (content) => parseTrialStatus(content, file).trained ?? [],
    () => [],
  );
}

function parse<T>(schema: z.ZodType<T>, content: unknown, file: string, advice: string): T {
  // Another version may differ anywhere, so its other problems would only mislead.
  const version = (content as { version?: unknown } | null)?.version;
  if (version !== undefined && version !== resultVersion) {
    throw new RequestError(
      `${file} was written by another version of esta (format ${JSON.stringify(version)}, this one reads ${resultVersion})`,
      'Report it with the version that wrote it, or run the trial again.',
    );
  }
  const checked = check(schema, content);
  if ('config' in checked) return checked.config;
  throw invalidFile(file, checked.problems, advice);
}

/** Seconds of all trainings of a trial: the final runs and, where it is recorded, the grids. */
export function secondsOf({ trainSeconds, stages = [] }: Pick<TrialResult, 'trainSeconds' | 'stages'>): number {
  return stages.reduce((sum, { gridSeconds = 0 }) => sum + gridSeconds, trainSeconds);
}

/** What a trial is compared as: the variant of an ablation, otherwise the method. */
export function seriesOf({ method, variant }: { readonly method: string; readonly variant?: string }): string {
  return variant ?? method;
}
