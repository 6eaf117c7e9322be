/**
 * The recipe of a trial: everything that decides its numbers, as one value. It is made from the experiment file alone (and
 * from how many images there are), printed by `esta run --dry-run --json`, written as recipe.json into the folder of the
 * trial, and handed to the phases of the trial, each of which takes the part that it needs.
 */
import {
  type AnchorConfig,
  type Experiment,
  isTextExperiment,
  type TextExperiment,
} from '../config/schema/experiment.js';
import type { Trial } from '../config/trials.js';
import type { Splits } from '../data/dataset.js';
import type { Augmentation, Preprocessing } from '../data/images/preprocessing.js';
import { trainAndValidation } from '../data/splits.js';
import { type Architecture, imageInputOf } from '../models/architecture.js';
import { stitchedStage } from '../run-folder/trial-journal.js';
import { RequestError } from '../shared/errors.js';
import { type Learning, learningAlone, learningStitched } from './method.js';
import { architecturesOf, checkPatchDropout } from './space.js';

/** @typeParam Steps `number | undefined` where the number of images is not known before they are read */
export interface Recipe<Steps extends number | undefined = number> {
  /** Of few-shot images, batches, initial values, and drawn stitches. */
  readonly seed: number;
  /** The pretrained networks, small to large. */
  readonly anchors: readonly AnchorConfig[];
  /** Left out where texts are learned. */
  readonly images?: ImageRecipe;
  /** Left out where images are learned. */
  readonly texts?: TextRecipe;
  /** The stitch space, and the start of its stitching layers. */
  readonly stitching: {
    readonly kernel: number;
    readonly stride: number;
    /** Training images, or texts, that the least-squares start is fitted on. */
    readonly fitImages: number;
    readonly bins: BinsRecipe;
  };
  /** Trainings, in the order in which they are run: anchors alone first, where the method adapts them. */
  readonly stages: readonly StageRecipe<Steps>[];
  /** What learning rates are chosen on, and stitches where scores do not choose them. */
  readonly choiceSplit: 'validation';
  /** What is reported. */
  readonly testSplit: 'test' | 'validation';
  /** Minutes between checkpoints: decides no number. */
  readonly checkpointMinutes: number;
}

/** The recipe of a trial on images. */
export type ImageTrialRecipe = Recipe & { readonly images: ImageRecipe };

export interface ImageRecipe {
  readonly preprocessing: Preprocessing;
  /** Of training images. */
  readonly augmentation: Augmentation;
  /** Images of a training step. */
  readonly batchSize: number;
  /** Images of an evaluation step. */
  readonly evaluationBatchSize: number;
}

export interface TextRecipe {
  /** Tokens of a text at most. */
  readonly cutoff: number;
  readonly trainOnInputs: boolean;
  readonly groupByLength: boolean;
  /** Lengths are padded to a multiple of it. */
  readonly multiple: number;
  /** Texts of a training step. */
  readonly batchSize: number;
  /** Texts of a training step that are computed at once. */
  readonly microBatchSize: number;
  /** Texts of an evaluation step. */
  readonly evaluationBatchSize: number;
  /** Of the frozen linear layers. */
  readonly weights: '8bit' | 'float32';
  readonly targets: readonly string[];
  readonly alpha: number;
}

/** Bins of equal width. */
export interface BinsRecipe {
  readonly count: number;
  /** What the bins divide; left out: FLOPs. */
  readonly over?: 'params';
  /** Ids of the stitches whose FLOPs are the low edges of the first and of the last bin; left out: the whole range. */
  readonly edges?: readonly [first: number, last: number];
}

/** One training of the trial: the stitched network, or an anchor alone. */
export interface StageRecipe<Steps extends number | undefined = number> extends Learning {
  /** In file names and metrics: `stitched`, or `anchor-NAME`. */
  readonly name: string;
  /** Index of the anchor that is trained alone; left out: the stitched network. */
  readonly anchor?: number;
  /** Id of the stitch of the stitched network that is trained alone; left out: all of them. */
  readonly stitch?: number;
  readonly weightDecay: number;
  /** Longest gradient of a step; left out: any. */
  readonly clipNorm?: number;
  /** Share of the inputs of low-rank updates that a step drops; left out: none. */
  readonly dropout?: number;
  /** Share of the patches that a step leaves out, but in the last fifth of the epochs; left out: none. */
  readonly patchDropout?: number;
  /** The grid; one entry: nothing is searched. */
  readonly learningRates: readonly LearningRate[];
  /** A run of the grid; left out: nothing is searched. */
  readonly grid?: RunRecipe<Steps>;
  readonly final: RunRecipe<Steps>;
  /** Epochs of the final run after which what would be deployed is tested, beside its end. */
  readonly testedEpochs: readonly number[];
  /** Gradients that are compared after an epoch of the final run; left out: none. */
  readonly gradientAngles?: AnglesRecipe;
}

export interface LearningRate {
  /** As files and tables name it. */
  readonly base: number;
  /** The rate at the end of the warm-up. */
  readonly peak: number;
}

/** Supplement A scales a base learning rate by batch size / 256. */
export function learningRateOf(base: number, batchSize: number): LearningRate {
  return { base, peak: (base * batchSize) / 256 };
}

export interface RunRecipe<Steps extends number | undefined = number> {
  readonly split: TrainingSplit;
  readonly epochs: number;
  readonly steps: Steps;
  /** Steps in which the learning rate rises from 0; a cosine to 0 follows, or a line. */
  readonly warmupSteps: Steps;
  /** Left out: a cosine. */
  readonly decay?: 'linear';
}

export type TrainingSplit = 'train' | 'train+validation';

export interface AnglesRecipe {
  /** Epochs of the final run before. */
  readonly epoch: number;
  readonly stitches: number;
  readonly batches: number;
  /** Whether the anchors were pretrained with this data set. */
  readonly domain: 'source' | 'downstream';
}

/** Images of a data set. */
export type ImageCounts<Count extends number | undefined = number> = Readonly<Record<TrainingSplit, Count>>;

/** Images of a data set that was read, or listed. */
export function countImages(splits: Splits): ImageCounts {
  return { train: splits.train.length, 'train+validation': trainAndValidation(splits).length };
}

/** Before they are read. */
export const unknownImages: ImageCounts<undefined> = { train: undefined, 'train+validation': undefined };

/**
 * What a trial does.
 * @throws RequestError for anchors that are not known or cannot be stitched
 */
export function recipeOf<Count extends number | undefined>(trial: Trial, images: ImageCounts<Count>): Recipe<Count> {
  const { experiment, seed } = trial;
  const { anchors, stitching, sampling, training } = experiment;
  const edges = sampling.bin_edges;
  const isText = isTextExperiment(experiment);
  const architectures = isText ? [] : architecturesOf(anchors, experiment.preprocessing.crop);
  checkPatchDropout(training.patch_dropout, architectures);
  return {
    seed,
    anchors,
    ...(isText ? { texts: textRecipeOf(experiment) } : { images: imageRecipeOf(experiment, architectures[0]!) }),
    stitching: {
      kernel: stitching.kernel,
      stride: stitching.stride,
      fitImages: stitching.fit_images,
      bins: { count: sampling.bins, ...(isText && { over: 'params' }), ...(edges && { edges }) },
    },
    stages: stagesOf(trial, images),
    choiceSplit: 'validation',
    testSplit: isText ? 'validation' : 'test',
    checkpointMinutes: training.checkpoint_minutes,
  };
}

/**
 * What the experiment leaves out is as the anchors were pretrained; `anchor` is the smallest.
 * @throws RequestError where images are resized to less than what is cropped from them
 */
export function imageRecipeOf({ preprocessing, training, evaluation }: Experiment, anchor: Architecture): ImageRecipe {
  const { side, preprocessing: pretrained } = imageInputOf(anchor);
  const { resize, crop = side, keep_aspect: keepAspect, interpolation, flip } = preprocessing;
  if (resize !== undefined && resize < crop) {
    throw new RequestError(
      `preprocessing.resize: expected at least ${crop}, the side that the anchors read, received ${resize}`,
      'Set preprocessing.crop beside it for smaller images, or leave resize out.',
    );
  }
  return {
    preprocessing: {
      resize: { size: resize ?? Math.round((crop * 256) / 224), keepAspect },
      crop,
      interpolation,
      mean: preprocessing.mean ?? pretrained.mean,
      std: preprocessing.std ?? pretrained.std,
    },
    augmentation: { crop: 'random', flip },
    batchSize: training.batch_size,
    evaluationBatchSize: evaluation.batch_size,
  };
}

function textRecipeOf({ text, training, evaluation }: TextExperiment): TextRecipe {
  return {
    cutoff: text.cutoff,
    trainOnInputs: text.train_on_inputs,
    groupByLength: text.group_by_length,
    multiple: text.length_multiple,
    batchSize: training.batch_size,
    microBatchSize: text.micro_batch_size,
    evaluationBatchSize: evaluation.batch_size,
    weights: text.weights,
    targets: text.targets,
    alpha: text.alpha,
  };
}

function stagesOf<Count extends number | undefined>(
  { experiment, method, dataset }: Trial,
  images: ImageCounts<Count>,
): StageRecipe<Count>[] {
  const { anchors, training, evaluation, text } = experiment;
  const { batch_size: batchSize, base_learning_rates: rates } = training;
  const run = (split: TrainingSplit, epochs: number): RunRecipe<Count> => {
    const count = images[split];
    // Training drops the last batch of an epoch where it is not full.
    const stepsOf = (epochs: number) => (count && epochs * Math.floor(count / batchSize)) as Count;
    const steps = stepsOf(epochs);
    const whole = text?.warmup_steps ?? stepsOf(training.warmup_epochs);
    // Runs of the grid and of anchors alone may be shorter or longer: they warm up for the same share.
    const warmup = whole && Math.round((whole * epochs) / training.epochs);
    return {
      ...{ split, epochs, steps },
      warmupSteps: (warmup && Math.min(warmup, steps ?? warmup)) as Count,
      ...(text?.decay === 'linear' && { decay: 'linear' }),
    };
  };
  const trained = (epochs: number) => ({
    weightDecay: training.weight_decay,
    ...(text && { clipNorm: text.clip_norm }),
    ...(text && text.dropout > 0 && { dropout: text.dropout }),
    ...(training.patch_dropout > 0 && { patchDropout: training.patch_dropout }),
    learningRates: rates.map((base) => learningRateOf(base, batchSize)),
    ...(rates.length > 1 && { grid: run('train', Math.min(training.grid_epochs, epochs)) }),
    final: run(training.final_on, epochs),
  });
  const alone = learningAlone(method, experiment);
  const stitched = learningStitched(method, experiment);
  const stages: StageRecipe<Count>[] = [];
  if (alone) {
    for (const [anchor, { name }] of anchors.entries()) {
      stages.push({ name: `anchor-${name}`, anchor, ...alone, ...trained(training.anchor_epochs), testedEpochs: [] });
    }
  }
  if (stitched) {
    const { epochs } = training;
    const tested = new Set(evaluation.test_at.map((share) => Math.round(share * epochs)));
    const { gradient_angles: angles } = evaluation;
    stages.push({
      name: stitchedStage,
      ...stitched,
      ...trained(epochs),
      testedEpochs: [...tested].filter((epoch) => epoch > 0 && epoch < epochs),
      ...(angles && {
        gradientAngles: {
          epoch: Math.round(angles.at * epochs),
          stitches: angles.stitches,
          batches: angles.batches,
          domain: angles.source.includes(dataset.name) ? 'source' : 'downstream',
        },
      }),
    });
  }
  return stages;
}

/** Epochs over all trainings of a trial: the runs of the grid, and the final runs. */
export function epochsOf({ stages }: Pick<Recipe<number | undefined>, 'stages'>): { grid: number; final: number } {
  return {
    grid: stages.reduce((sum, stage) => sum + gridEpochsOf(stage), 0),
    final: stages.reduce((sum, { final }) => sum + final.epochs, 0),
  };
}

/** Epochs over all runs of a stage's grid; 0 where there is none. */
export function gridEpochsOf({ grid, learningRates }: StageRecipe<number | undefined>): number {
  return grid ? grid.epochs * learningRates.length : 0;
}
