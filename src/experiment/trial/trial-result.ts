/** From what a trial has trained to what its result says. */

import type { Experiment } from '../../config/schema/experiment.js';
import type { StagePlan } from '../../config/stages.js';
import type { StageResult, StitchResult } from '../../run-folder/result.js';
import type { DeployedStitch } from '../../stitching/deployment.js';
import type { ImportanceScores } from '../../stitching/importance.js';
import { spaceTrainableParams, stitchParams, trainableParams } from '../../stitching/space/cost.js';
import type { Palette } from './palette.js';
import type { GridEntry, TrainedStage } from './stage.js';

/** @param accuracy on the test images, percent */
export function stitchResult(
  experiment: Experiment,
  { space, network, flops }: Palette,
  importance: ImportanceScores,
  { id, bin }: DeployedStitch,
  accuracy: number,
): StitchResult {
  const stitch = space.stitches[id]!;
  const score = importance.scores[id];
  return {
    id,
    path: stitch.path.map(({ anchor, blocks }) => ({ anchor: experiment.anchors[anchor]!.name, blocks })),
    flops: flops[id]!,
    params: stitchParams(stitch, network).total,
    trainable: trainableParams(stitch, network).total,
    accuracy,
    ...(typeof score === 'number' && { importance: score }),
    ...(bin !== undefined && { bin }),
  };
}

export function stageResult(
  { name, epochs, anchor }: StagePlan,
  { space, network }: Palette,
  { baseRate, seconds }: TrainedStage,
  grid: readonly GridEntry[],
): StageResult {
  const tried = grid.filter((entry) => entry.stage === name);
  const trainable =
    anchor === undefined ? spaceTrainableParams(space, network) : trainableParams(space.stitches[anchor]!, network);
  return {
    name,
    learningRate: baseRate,
    epochs,
    trainSeconds: seconds,
    trainable,
    ...(tried.length > 0 && {
      grid: tried.map(({ base_rate: learningRate, accuracy }) => ({ learningRate, accuracy })),
    }),
  };
}
