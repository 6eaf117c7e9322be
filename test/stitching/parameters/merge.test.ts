/** A merged stitch computes what the adapted one does, with nothing beside the layers of its anchors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { runNetwork } from '../../../src/models/blockwise.js';
import type { NetworkWeights } from '../../../src/models/family.js';
import type { Linear } from '../../../src/models/layers.js';
import type { Float32NdArray } from '../../../src/shared/arrays.js';
import { initialTrainables } from '../../../src/stitching/parameters/initial.js';
import { mergeStitch } from '../../../src/stitching/parameters/merge.js';
import { trainableShapes } from '../../../src/stitching/parameters/shapes.js';
import { noTrainables, pickTrainables, type Trainables } from '../../../src/stitching/parameters/trainables.js';
import type { Stitch } from '../../../src/stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../../../src/stitching/stitchable-network.js';
import { assertClose, onReference } from '../../engine/tensors.js';
import {
  architectures,
  batch,
  frozenNetwork,
  networkOf,
  pst,
  space,
  trainables,
} from '../../training/miniature-network.js';

const { images } = batch();

function logitsOf(stitch: Stitch, frozen: FrozenPath<Float32NdArray>, parameters: Trainables<Float32NdArray>) {
  interface Given {
    readonly frozen: FrozenPath<tf.Tensor>;
    readonly parameters: Trainables<tf.Tensor>;
    readonly images: tf.Tensor;
  }
  const run = (given: Given) => runStitch(stitch, given.frozen, given.parameters, given.images, architectures);
  return onReference(run, { frozen, parameters, images });
}

for (const [name, adaptation] of Object.entries({
  PST: pst,
  'naive LoRA': { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: false },
  'SS-LoRA': { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: false, ownLowRank: true },
  'bias alone': { ranks: [0, 0], stitchingLayerRank: 0, stitchBias: true },
})) {
  test(`merged equals unmerged for every stitch: ${name}`, () => {
    const frozen = frozenNetwork();
    const values = trainables(adaptation);
    for (const stitch of space.stitches) {
      const own = pickTrainables(values, trainableShapes(stitch, networkOf(adaptation)));
      const unmerged = logitsOf(stitch, frozenPathOf(frozen, [stitch]), own);
      const heads = { ...noTrainables, heads: own.heads };
      const merged = logitsOf(stitch, mergeStitch(stitch, frozen, values, architectures), heads);
      assertClose(merged, unmerged, 1e-5);
      const plain = logitsOf(stitch, frozenPathOf(frozen, [stitch]), heads);
      assert.throws(() => assertClose(plain, unmerged, 1e-3), 'what is merged matters');
    }
  });
}

test('before the first step an anchor is exactly its frozen network with a new head', () => {
  const frozen = frozenNetwork();
  const values = initialTrainables(space, networkOf(), 0);
  for (const anchor of [0, 1]) {
    const head = values.heads[anchor]!;
    const run = (given: { weights: NetworkWeights<tf.Tensor>; head: Linear<tf.Tensor>; images: tf.Tensor }) =>
      runNetwork(architectures[anchor]!, given.weights, given.head, given.images);
    const alone = onReference(run, { weights: frozen.anchors[anchor]!, head, images });
    const stitch = space.stitches[anchor]!;
    const own = pickTrainables(values, trainableShapes(stitch, networkOf()));
    assertClose(logitsOf(stitch, frozenPathOf(frozen, [stitch]), own), alone, 1e-6);
  }
});
