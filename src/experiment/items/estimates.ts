/**
 * What items take: seconds from the steps that this run folder has measured, else from multiply-accumulates; memory and
 * the size of checkpoints from the shapes of the networks.
 */

import { isTextExperiment } from '../../config/schema/experiment.js';
import type { Trial } from '../../config/trials.js';
import { numFeatures } from '../../models/architecture.js';
import { recordedResult } from '../../run-folder/result.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { mean } from '../../shared/groups.js';
import { spaceTrainableParams, stitchFlops, trainableParams } from '../../stitching/space/cost.js';
import { largestAnchor } from '../../stitching/space/stitch-space.js';
import { classCountOf } from '../class-count.js';
import type { Recipe, StageRecipe } from '../recipe.js';
import { recordedRecipe } from '../recorded-recipe.js';
import { spaceOf } from '../space.js';
import { languageSpace } from '../text/language-space.js';

/** Of each stage of a trial. */
export interface StageEstimate {
  readonly secondsPerStep: number;
  /** Whether the run folder has measured it. */
  readonly isMeasured: boolean;
  /** Multiply-accumulates of a step, on average. */
  readonly macsPerStep: number;
  /** Of a process that trains it. */
  readonly memoryBytes: number;
  /** Of one checkpoint. */
  readonly checkpointBytes: number;
}

/** Multiply-accumulates a second of one core: quickstart.yaml makes 7 G of them in a step of 0.25 s on two (AMD EPYC). */
const macsPerSecond = 14e9;
/** Node.js, ONNX Runtime, the program, and what it compiles: runs of the mini anchors take 450 MB. */
const processBytes = 430e6;
/** Values that training keeps of a block, in widths of its tokens: ViT's norms, q, k, v, attention, two of 4 x width. */
const keptPerBlock = 16;

export type Estimate = (trial: Trial, recipe: Recipe<number | undefined>, stage: string) => Promise<StageEstimate>;

/**
 * @param finished trials of the run folder
 * @param cores that a process computes with
 */
export function estimatesIn(runFolder: string, finished: readonly Trial[], cores: number): Estimate {
  const shapes = new Map<string, Promise<Omit<StageEstimate, 'isMeasured'>>>();
  const measured = new Map<string, Promise<ReadonlyMap<string, number>>>();
  return async (trial, recipe, stage) => {
    const stageRecipe = recipe.stages.find(({ name }) => name === stage)!;
    const key = JSON.stringify([trial.dataset.name, trial.method, trial.variant, stage]);
    const shape = shapes.get(key) ?? shapeOf(trial, recipe, stageRecipe, cores);
    shapes.set(key, shape);
    const alike = JSON.stringify([trial.method, trial.variant]);
    const seconds = measured.get(alike) ?? measuredSteps(runFolder, finished, trial);
    measured.set(alike, seconds);
    const known = (await seconds).get(stage);
    const estimate = await shape;
    return { ...estimate, ...(known && { secondsPerStep: known }), isMeasured: known !== undefined };
  };
}

async function shapeOf(
  { dataset, experiment }: Trial,
  { anchors, stitching, images, texts }: Recipe<number | undefined>,
  stage: StageRecipe<number | undefined>,
  cores: number,
): Promise<Omit<StageEstimate, 'isMeasured'>> {
  const { architectures, space } = isTextExperiment(experiment)
    ? languageSpace(experiment)
    : spaceOf(anchors, stitching, images?.preprocessing.crop);
  const batchSize = images?.batchSize ?? texts!.batchSize;
  const classes = await classCountOf(dataset).catch(() => 100); // its images are not there yet
  const network = { anchors: architectures, classes, adaptation: stage.adaptation };
  const { anchor, stitchesPerStep, distillation, patchDropout = 0 } = stage;
  const trained = anchor === undefined ? space.stitches : [space.stitches[anchor]!];
  const flops = trained.map((stitch) => stitchFlops(stitch, network));
  const teacher = distillation ? stitchFlops(space.stitches[largestAnchor(space)]!, network) : 0;
  const students = mean(flops) * (anchor === undefined ? stitchesPerStep : 1);
  // A backward pass costs two forward ones, and the teacher learns, too; the last fifth of the epochs sees all patches.
  const macs = (1 - 0.8 * patchDropout) * batchSize * 3 * (students + teacher);
  const trainable =
    anchor === undefined ? spaceTrainableParams(space, network) : trainableParams(space.stitches[anchor]!, network);
  const weights = architectures.reduce(
    (sum, { embedding, blocks }) => sum + embedding.params + blocks.reduce((all, { params }) => all + params, 0),
    0,
  );
  const largest = architectures.at(-1)!;
  const kept = ((texts?.microBatchSize ?? batchSize) * keptPerBlock * Math.max(...flops)) / (12 * numFeatures(largest));
  return {
    macsPerStep: macs,
    secondsPerStep: macs / (macsPerSecond * cores),
    memoryBytes: processBytes + (texts?.weights === '8bit' ? 1 : 4) * weights + 4 * (4 * trainable.total + kept),
    checkpointBytes: 3 * 4 * trainable.total, // parameters, and two moments of each
  };
}

/** Seconds a step by stage, from a finished trial of the same method, which may be of a data set of another size. */
async function measuredSteps(
  runFolder: string,
  finished: readonly Trial[],
  { method, variant }: Trial,
): Promise<ReadonlyMap<string, number>> {
  const seconds = new Map<string, number>();
  for (const trial of finished) {
    if (trial.method !== method || trial.variant !== variant) continue;
    const folder = trialFolderIn(runFolder, trial);
    const result = await recordedResult(folder).catch(() => undefined);
    const recipe = await recordedRecipe(folder).catch(() => undefined);
    if (result?.status !== 'finished' || !recipe) continue;
    for (const { name, trainSeconds } of result.stages ?? []) {
      const steps = recipe.stages.find((stage) => stage.name === name)?.final.steps;
      if (steps) seconds.set(name, trainSeconds / steps);
    }
    break;
  }
  return seconds;
}
