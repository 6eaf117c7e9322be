/** Top-1 accuracy of one stitch of a network, run alone. */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../data/batches/batches.js';
import type { Engine, Value } from '../engine/engine.js';
import { trainableShapes } from '../stitching/parameters/shapes.js';
import { pickTrainables, type Trainables } from '../stitching/parameters/trainables.js';
import type { Stitch } from '../stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../stitching/stitchable-network.js';
import type { StitchedNetwork } from '../training/step-runner.js';
import { accuracyOf } from './accuracy.js';

/** @returns percent of the split's images */
export function stitchAccuracy(
  engine: Engine,
  { network, frozen }: Pick<StitchedNetwork, 'network' | 'frozen'>,
  trainables: Trainables<Value>,
  stitch: Stitch,
  loader: Pick<BatchLoader, 'batches'>,
): Promise<number> {
  interface Given {
    readonly frozen: FrozenPath<tf.Tensor>;
    readonly trainables: Trainables<tf.Tensor>;
  }
  const inputs = {
    frozen: frozenPathOf(frozen, [stitch]),
    trainables: pickTrainables(trainables, trainableShapes(stitch, network)),
  };
  const logits = (given: Given, images: tf.Tensor) =>
    runStitch(stitch, given.frozen, given.trainables, images, network.anchors);
  return accuracyOf(engine, `stitch ${stitch.id}`, logits, inputs, loader);
}
