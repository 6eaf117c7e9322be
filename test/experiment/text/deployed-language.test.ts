/** A stitch that generates with its cache, beside the same stitch as it was trained. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { pathModel } from '../../../src/evaluation/generation/language-model.js';
import { pathOf } from '../../../src/experiment/text/deployed-language.js';
import { asLlama } from '../../../src/models/llama/architecture.js';
import { initialWeights } from '../../../src/models/weights.js';
import { int32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { initialTrainables } from '../../../src/stitching/parameters/initial.js';
import { mapTrainables, type Trainables } from '../../../src/stitching/parameters/trainables.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../../../src/stitching/stitchable-network.js';
import { onReference, randomArray } from '../../engine/tensors.js';
import { architecturesOf, scale, space, vocabulary } from '../../stitching/mini-llamas.js';

for (const tied of [false, true]) {
  test(`a stitch of two networks with ${tied ? 'tied' : 'own'} heads, read in parts, gives the logits of the whole`, async (t) => {
    const engine = await createOnnxEngine({ threads: 1 });
    t.after(() => engine.dispose());
    const random = Random.of(0, 'deployed');
    const architectures = architecturesOf(tied).map(asLlama);
    const adaptation = { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: true };
    const network = { anchors: architectures, classes: vocabulary, adaptation };
    const trainables = mapTrainables(initialTrainables(space, network, 0), ({ shape }) => randomArray(random, shape));
    const frozen = {
      anchors: architectures.map((architecture) => initialWeights(architecture, random)),
      layers: space.stitchingLayers.map(() => ({
        weight: randomArray(random, [8, 12]),
        bias: randomArray(random, [12]),
      })),
    };
    const ids = [1, 7, 3, 9, 2];
    for (const id of [1, 3]) {
      const stitch = space.stitches[id]!;
      interface Given {
        readonly frozen: FrozenPath<tf.Tensor>;
        readonly trainables: Trainables<tf.Tensor>;
        readonly ids: tf.Tensor;
      }
      const inputs = { frozen: frozenPathOf(frozen, [stitch]), trainables, ids: int32([1, 5], Int32Array.from(ids)) };
      const expected = onReference(
        (given: Given) => ({
          logits: runStitch(stitch, given.frozen, given.trainables, given.ids, architectures).slice(
            [0, 4, 0],
            [1, 1, -1],
          ),
        }),
        inputs,
      ).get('logits')!;
      const shapes = stitch.path.map(({ anchor }) => ({ config: architectures[anchor]!.variant, scale }));
      const reading = pathModel(engine, shapes, pathOf(stitch, frozen, trainables, architectures)).begin();
      await reading.read(ids.slice(0, 2));
      await reading.read(ids.slice(2, 3));
      const logits = await reading.read(ids.slice(3));
      const largest = Math.max(...expected.map(Math.abs));
      const error = Math.max(...expected.map((value, index) => Math.abs(value - logits[index]!)));
      assert.ok(error < 1e-4 * largest, `stitch ${id}: error ${error} of ${largest}`);
    }
  });
}
