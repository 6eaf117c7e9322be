/** Gradients of a stitch for the weights of blocks that it shares with other stitches, without any step. */
import type * as tf from '@tensorflow/tfjs';
import type { TensorFunction } from '../engine/engine.js';
import type { Architecture } from '../models/architecture.js';
import { trainablesOf } from '../stitching/parameters/trainables.js';
import type { StitchableNetwork } from '../stitching/space/cost.js';
import { blocksOnPath, type Stitch } from '../stitching/space/stitch.js';
import { runStitch } from '../stitching/stitchable-network.js';
import { crossEntropy } from './loss.js';
import type { Named } from './optimizer.js';
import { gradientsOf, type TeacherInputs } from './stitch-step.js';

/**
 * What all stitches that run a block train of its adapted layers (query, key and value): low-rank updates, or the weights
 * themselves in full fine-tuning. [] where every stitch has updates of its own.
 */
export function sharedTensorsOf(stitch: Stitch, network: StitchableNetwork): string[] {
  if (network.adaptation !== 'full') {
    return Object.keys(trainablesOf(stitch, network)).filter((name) => name.startsWith('update/'));
  }
  return blocksOnPath(stitch).flatMap(({ anchor, block }) =>
    network.anchors[anchor]!.blocks[block]!.adapted.flatMap(({ layers }) =>
      layers.map((layer) => `weights/anchors/${anchor}/blocks/${block}/${layer}/weight`),
    ),
  );
}

/**
 * The program (frozen path, trainables, images, labels) -> gradients of the cross-entropy with the labels.
 * @param names the trainables whose gradients are wanted; the others are constants
 */
export function stitchGradients(
  stitch: Stitch,
  names: readonly string[],
  architectures: readonly Architecture[],
): TensorFunction<TeacherInputs<tf.Tensor>, Named<tf.Tensor>> {
  return ({ frozen, parameters, images, labels }) =>
    gradientsOf(names, parameters, (named) =>
      crossEntropy(runStitch(stitch, frozen, { ...parameters, ...named }, images, architectures), labels),
    ).gradients;
}
