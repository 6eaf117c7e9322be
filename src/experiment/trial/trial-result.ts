/** From what a trial has trained to what its result says. */

import type { AnchorConfig } from '../../config/schema/experiment.js';
import type { Quality } from '../../evaluation/quality.js';
import type { StageResult, StitchResult } from '../../run-folder/result.js';
import type { DeployedStitch } from '../../stitching/deployment.js';
import { spaceTrainableParams, trainableParams } from '../../stitching/space/cost.js';
import { stitchCosts } from '../space.js';
import type { GridEntry } from './grid.js';
import type { TrainedStage } from './stage.js';
import { trainedAlone } from './stitch-training.js';

/**
 * @param accuracy on the test images, percent; of language models of the next token, on the validation texts
 * @param loss of language models
 */
export function stitchResult(
  anchors: readonly AnchorConfig[],
  { network: { space, network }, importance }: Pick<TrainedStage, 'network' | 'importance'>,
  { id, bin }: DeployedStitch,
  { accuracy, loss }: Quality,
  test?: Quality,
): StitchResult {
  const score = importance.scores[id];
  return {
    ...stitchCosts(space.stitches[id]!, anchors, network),
    accuracy,
    ...(loss !== undefined && { loss }),
    ...(test?.loss !== undefined && { test: { accuracy: test.accuracy, loss: test.loss } }),
    ...(typeof score === 'number' && { importance: score }),
    ...(bin !== undefined && { bin }),
  };
}

export function stageResult(
  { recipe, network: { space, network }, baseLearningRate, seconds }: TrainedStage,
  grid: readonly GridEntry[],
): StageResult {
  const { name, final } = recipe;
  const alone = trainedAlone(recipe);
  const tried = grid.filter((entry) => entry.stage === name);
  const trainable =
    alone === undefined ? spaceTrainableParams(space, network) : trainableParams(space.stitches[alone]!, network);
  return {
    name,
    learningRate: baseLearningRate,
    epochs: final.epochs,
    trainSeconds: seconds,
    trainable,
    ...(tried.length > 0 && {
      gridSeconds: tried.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
      grid: tried.map(({ base_rate: learningRate, accuracy, loss, diverged }) => ({
        learningRate,
        accuracy,
        ...(loss !== undefined && { loss }),
        ...(diverged !== undefined && { diverged }),
      })),
    }),
  };
}
