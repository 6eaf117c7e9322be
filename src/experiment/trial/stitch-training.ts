/** What a step of a stitched network does: stitches are drawn, learn, and earn their importance scores. */

import type { Batch } from '../../data/batches/batches.js';
import type { TextsOfStep } from '../../data/text/loader.js';
import type { Engine } from '../../engine/engine.js';
import { imageInputOf } from '../../models/architecture.js';
import type { Int32NdArray } from '../../shared/arrays.js';
import { mean } from '../../shared/groups.js';
import { Random, type RandomState } from '../../shared/random.js';
import { type ImportanceScores, initialImportance, updateImportance } from '../../stitching/importance.js';
import { drawStitches } from '../../stitching/sampling.js';
import { textStepRunner } from '../../training/language/text-step-runner.js';
import type { Step, StepPosition, Training } from '../../training/loop.js';
import type { Measures } from '../../training/measures.js';
import { dropsPatches, keptTokens } from '../../training/patch-dropout.js';
import { type StepMeasures, stepRunner } from '../../training/step-runner.js';
import type { DeviceState } from '../../training/training-state.js';
import type { StageRecipe } from '../recipe.js';
import { initialParameters, type TrialNetwork } from './network.js';

/** What changes beside tensors. */
export interface StitchRest {
  readonly importance: ImportanceScores;
  readonly random: RandomState;
  /** How often each stitch was drawn in the epoch under way, by id. */
  readonly draws: readonly number[];
}

/** What a step learns from. */
export type StitchBatch = Batch | TextsOfStep;

export type StitchLearning = Pick<
  StageRecipe,
  | 'sampling'
  | 'stitchesPerStep'
  | 'sandwich'
  | 'importanceMomentum'
  | 'distillation'
  | 'weightDecay'
  | 'clipNorm'
  | 'dropout'
  | 'patchDropout'
  | 'anchor'
  | 'stitch'
>;

/**
 * The part of a training that is about stitches.
 * @param epochs of the training
 */
export function stitchTraining(
  engine: Engine,
  network: TrialNetwork,
  learning: StitchLearning,
  seed: number,
  epochs: number,
): Pick<Training<StitchRest, StitchBatch>, 'initialParameters' | 'initialRest' | 'stepOn'> {
  const { length: count } = network.space.stitches;
  return {
    initialParameters: () => initialParameters(engine, network, trainedStitches(network, learning), seed),
    initialRest: {
      importance: initialImportance(count, learning.importanceMomentum),
      random: Random.of(seed, 'stitches').save(),
      draws: new Array<number>(count).fill(0),
    },
    stepOn: (state) => stitchSteps(engine, network, learning, state, keptPatches(network, learning, seed, epochs)),
  };
}

/** Ids of the stitches that are trained: a single one (the first stitches are the anchors), or all of the space. */
export function trainedStitches({ space }: TrialNetwork, learning: Pick<StageRecipe, 'anchor' | 'stitch'>): number[] {
  const alone = trainedAlone(learning);
  return alone === undefined ? space.stitches.map(({ id }) => id) : [alone];
}

/** Id of the stitch that is trained alone; undefined: all of the space are. */
export function trainedAlone({ anchor, stitch = anchor }: Pick<StageRecipe, 'anchor' | 'stitch'>): number | undefined {
  return stitch;
}

function stitchSteps(
  engine: Engine,
  network: TrialNetwork,
  learning: StitchLearning,
  state: DeviceState,
  keptIn: KeptPatches,
): Step<StitchRest, StitchBatch> {
  const { weightDecay, distillation, sampling, stitchesPerStep, sandwich, clipNorm, dropout } = learning;
  const alone = trainedAlone(learning);
  const hasScores = learning.importanceMomentum !== undefined;
  const options = { weightDecay, saliency: hasScores, ...(distillation && { distillation }) };
  const onImages = stepRunner(engine, network, state, options);
  const onTexts = textStepRunner(engine, network, state, {
    ...options,
    ...(clipNorm !== undefined && { clipNorm }),
    ...(dropout !== undefined && { dropout }),
  });
  const learn = async (batch: StitchBatch, ids: readonly number[], position: StepPosition, random: Random) =>
    'parts' in batch
      ? [await onTexts(ids[0]!, batch.parts, position.learningRate, random)]
      : onImages(ids, batch.images, batch.labels, position.learningRate, keptIn(position));
  // The teacher learns in every step of several stitches: it needs no draw.
  const teaches = distillation !== undefined && stitchesPerStep > 1;
  const draw = {
    count: stitchesPerStep,
    ...(teaches && { without: network.bins.largestAnchor }),
    ...(sandwich && { always: network.flops.indexOf(Math.min(...network.flops)) }),
  };
  return async (batch, position, { importance, random, draws }) => {
    const generator = Random.restore(random);
    const state = { epoch: position.epoch, importance, bins: network.bins };
    const ids = alone === undefined ? drawStitches(sampling, state, generator, draw) : [alone];
    const measured = await learn(batch, ids, position, generator);
    const scored = hasScores ? measured.map(({ saliency }, index) => [ids[index]!, saliency] as const) : [];
    const before = batch.index === 0 ? draws.map(() => 0) : draws;
    return {
      measures: meanMeasures(measured),
      subject: ids.map((id) => `stitch ${id}`).join(', '),
      next: () => ({
        importance: scored.reduce((scores, [id, saliency]) => updateImportance(scores, id, saliency), importance),
        random: generator.save(),
        draws: ids.reduce((counts, id) => counts.with(id, counts[id]! + 1), before),
      }),
    };
  };
}

/** Tokens that a step sees, the same for its teacher and its stitches; undefined: all. */
type KeptPatches = (position: Pick<StepPosition, 'step' | 'epoch'>) => Int32NdArray | undefined;

function keptPatches(
  { network }: TrialNetwork,
  { patchDropout: rate = 0 }: StitchLearning,
  seed: number,
  epochs: number,
): KeptPatches {
  return ({ step, epoch }) =>
    dropsPatches(rate, epoch, epochs)
      ? keptTokens(imageInputOf(network.anchors[0]!).patches!, rate, Random.of(seed, 'patches', step))
      : undefined;
}

/** Means over the stitches of a step, which have the same teacher or none. */
function meanMeasures(measured: readonly StepMeasures[]): Measures {
  const meanOf = (measure: 'loss' | 'labelLoss') => mean(measured.map((measures) => measures[measure]));
  return { loss: meanOf('loss'), labelLoss: meanOf('labelLoss'), teacherLoss: measured[0]!.teacherLoss };
}
