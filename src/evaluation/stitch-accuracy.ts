/** How good one stitch of a network is, run alone. */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../data/batches/batches.js';
import type { TextLoader } from '../data/text/loader.js';
import type { Engine, Value } from '../engine/engine.js';
import { trainableShapes } from '../stitching/parameters/shapes.js';
import { pickTrainables, type Trainables } from '../stitching/parameters/trainables.js';
import type { Stitch } from '../stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../stitching/stitchable-network.js';
import type { StitchedNetwork } from '../training/step-runner.js';
import { answersOf } from './accuracy.js';
import { type TextQuality, textQualityOf } from './text-quality.js';

type GivenNetwork = Pick<StitchedNetwork, 'network' | 'frozen'>;

interface Given {
  readonly frozen: FrozenPath<tf.Tensor>;
  readonly trainables: Trainables<tf.Tensor>;
}

/** @returns of each image of the split, in its order, whether the stitch gets it right */
export function stitchAnswers(
  engine: Engine,
  network: GivenNetwork,
  trainables: Trainables<Value>,
  stitch: Stitch,
  loader: Pick<BatchLoader, 'batches'>,
): Promise<boolean[]> {
  const { logits, inputs } = functionOf(network, trainables, stitch);
  return answersOf(engine, `stitch ${stitch.id}`, logits, inputs, loader);
}

/** Over the learned tokens of the split's texts. */
export function stitchTextQuality(
  engine: Engine,
  network: GivenNetwork,
  trainables: Trainables<Value>,
  stitch: Stitch,
  loader: Pick<TextLoader, 'batches'>,
): Promise<TextQuality> {
  const { logits, inputs } = functionOf(network, trainables, stitch);
  return textQualityOf(engine, `stitch ${stitch.id}`, logits, inputs, loader);
}

function functionOf({ network, frozen }: GivenNetwork, trainables: Trainables<Value>, stitch: Stitch) {
  const inputs = {
    frozen: frozenPathOf(frozen, [stitch]),
    trainables: pickTrainables(trainables, trainableShapes(stitch, network)),
  };
  const logits = (given: Given, images: tf.Tensor) =>
    runStitch(stitch, given.frozen, given.trainables, images, network.anchors);
  return { inputs, logits };
}
