/** All stitches at once give the accuracies of one after the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../../src/data/batches/batches.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { toDevice } from '../../src/engine/transfer.js';
import { accuracyOf, percentRight } from '../../src/evaluation/accuracy.js';
import { stitchAnswers } from '../../src/evaluation/stitch-accuracy.js';
import { sweepAccuracies } from '../../src/evaluation/sweep.js';
import { trainableShapes } from '../../src/stitching/parameters/shapes.js';
import { noTrainables, pickTrainables, type Trainables } from '../../src/stitching/parameters/trainables.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../../src/stitching/stitchable-network.js';
import {
  architectures,
  batch,
  frozenNetwork,
  networkOf,
  pst,
  space,
  trainables,
} from '../training/miniature-network.js';

/** Two batches, the second one short. */
const loader = {
  batchesPerEpoch: 2,
  async *batches() {
    for (const [index, size] of [40, 15].entries()) {
      yield { epoch: 0, index, ...batch(size), indices: Array.from({ length: size }, (_, image) => image) };
    }
  },
} as unknown as BatchLoader;

for (const [name, adaptation] of Object.entries({
  'full fine-tuning': 'full',
  'naive LoRA': { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: false },
} as const)) {
  test(`the sweep equals one stitch after the other: ${name}`, async () => {
    const engine = await createOnnxEngine({ threads: 1 });
    const frozen = toDevice(engine, frozenNetwork());
    const values = toDevice(engine, trainables(adaptation));
    const network = networkOf(adaptation);
    const batches: number[] = [];
    const swept = await sweepAccuracies(engine, { space, network, frozen }, values, loader, (done) =>
      batches.push(done),
    );
    const oneByOne: number[] = [];
    for (const stitch of space.stitches) {
      const logits = (given: { frozen: FrozenPath<tf.Tensor>; own: Trainables<tf.Tensor> }, images: tf.Tensor) =>
        runStitch(stitch, given.frozen, given.own, images, architectures);
      const inputs = {
        frozen: frozenPathOf(frozen, [stitch]),
        own: pickTrainables(values, trainableShapes(stitch, network)),
      };
      oneByOne.push(await accuracyOf(engine, `stitch ${stitch.id}`, logits, inputs, loader));
    }
    assert.deepEqual(swept, oneByOne);
    const alone = await stitchAnswers(engine, { network, frozen }, values, space.stitches[4]!, loader);
    assert.equal(percentRight(alone), oneByOne[4]);
    assert.ok(new Set(swept).size > 1, 'the stitches differ');
    assert.deepEqual(batches, [1, 2]);
    await engine.dispose();
  });
}

test('stitches that adapt their front blocks in their own way cannot share them', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const given = { space, network: networkOf(pst), frozen: { anchors: [], layers: [] } };
  await assert.rejects(
    sweepAccuracies(engine, given, noTrainables, loader, () => {}),
    /cannot be shared/,
  );
  await engine.dispose();
});
