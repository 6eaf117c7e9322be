/** Top-1 accuracy of one stitch of a network, run alone. */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../data/batches/batches.js';
import type { Engine, Value } from '../engine/engine.js';
import { trainablesOf } from '../stitching/parameters/trainables.js';
import type { Stitch } from '../stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../stitching/stitchable-network.js';
import type { Named } from '../training/optimizer.js';
import type { StitchedNetwork } from '../training/step-runner.js';
import { pick } from '../training/training-state.js';
import { accuracyOf } from './accuracy.js';

/** @returns percent of the split's images */
export function stitchAccuracy(
  engine: Engine,
  { network, frozen }: Pick<StitchedNetwork, 'network' | 'frozen'>,
  trainables: Named<Value>,
  stitch: Stitch,
  loader: Pick<BatchLoader, 'batches'>,
): Promise<number> {
  interface Given {
    readonly frozen: FrozenPath<tf.Tensor>;
    readonly trainables: Named<tf.Tensor>;
  }
  const inputs = {
    frozen: frozenPathOf(frozen, [stitch]),
    trainables: pick(trainables, Object.keys(trainablesOf(stitch, network))),
  };
  const logits = (given: Given, images: tf.Tensor) =>
    runStitch(stitch, given.frozen, given.trainables, images, network.anchors);
  return accuracyOf(engine, `stitch ${stitch.id}`, logits, inputs, loader);
}
