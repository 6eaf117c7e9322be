/** Gradients of a stitch for the weights of blocks that it shares with other stitches, without any step. */
import type * as tf from '@tensorflow/tfjs';
import type { TensorFunction } from '../engine/engine.js';
import type { Architecture } from '../models/architecture.js';
import { layerWeightPath } from '../stitching/parameters/path-weights.js';
import { trainableShapes } from '../stitching/parameters/shapes.js';
import { joinTrainables, noTrainables, pickTrainables, type Trainables } from '../stitching/parameters/trainables.js';
import type { StitchableNetwork } from '../stitching/space/cost.js';
import { blocksOnPath, type Stitch } from '../stitching/space/stitch.js';
import { runStitch } from '../stitching/stitchable-network.js';
import { gradientsOf } from './gradients.js';
import { crossEntropy } from './loss.js';
import type { TeacherInputs } from './stitch-step.js';

/**
 * What all stitches that run a block train of its adapted layers (query, key and value): low-rank updates, or the weights
 * themselves in full fine-tuning. Nothing where every stitch has updates of its own.
 */
export function sharedTrainables(stitch: Stitch, network: StitchableNetwork): Trainables<readonly number[]> {
  const { updates, weights } = trainableShapes(stitch, network);
  const adapted = blocksOnPath(stitch).flatMap(({ anchor, block }) =>
    network.anchors[anchor]!.blocks[block]!.adapted.flatMap(({ layers }) =>
      layers.map((layer) => layerWeightPath(anchor, block, layer)),
    ),
  );
  const shared = adapted.flatMap((path) => (weights[path] ? [[path, weights[path]] as const] : []));
  return { ...noTrainables, updates, weights: Object.fromEntries(shared) };
}

/**
 * The program (frozen path, trainables, images, labels) -> gradients of the cross-entropy with the labels.
 * @param wanted the trainables whose gradients are wanted; the others are constants
 */
export function stitchGradients(
  stitch: Stitch,
  wanted: Trainables<unknown>,
  architectures: readonly Architecture[],
): TensorFunction<TeacherInputs<tf.Tensor>, Trainables<tf.Tensor>> {
  return ({ frozen, parameters, images, labels }) =>
    gradientsOf(pickTrainables(parameters, wanted), (moving) => {
      const trainables = joinTrainables(parameters, moving);
      return crossEntropy(runStitch(stitch, frozen, trainables, images, architectures), labels);
    }).gradients;
}
