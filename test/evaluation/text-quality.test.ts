/** Quality of a language model whose probabilities are written down, so that it can be counted by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import type { TextLoader } from '../../src/data/text/loader.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { textQualityOf } from '../../src/evaluation/text-quality.js';
import { float32, int32 } from '../../src/shared/arrays.js';

/** Probabilities of the next token, by the last one. */
const next = [
  [0.5, 0.25, 0.25],
  [0.1, 0.8, 0.1],
  [0.3, 0.3, 0.4],
];

const text = (ids: readonly number[], labels: readonly number[]) => ({
  ids: int32([1, ids.length], Int32Array.from(ids)),
  labels: int32([1, ids.length], Int32Array.from(labels)),
});

test('every learned token counts once, whatever the batches and their parts', async () => {
  // Learned: 1 after 0 (0.25, the model says 0), 1 after 1 (0.8, right), 0 after 1 (0.1, the model says 1).
  const batches = [
    { parts: [text([0, 1, 1], [-100, 1, 1])] },
    { parts: [text([1, 0], [-100, 0]), text([2, 2, 2, 0], [-100, -100, -100, -100])] },
  ];
  const loader = {
    async *batches() {
      yield* batches;
    },
  } as unknown as Pick<TextLoader, 'batches'>;
  const engine = await createOnnxEngine({ threads: 1 });
  const table = engine.put(float32([3, 3], Float32Array.from(next.flat(), Math.log)));
  const logits = ({ table }: { readonly table: tf.Tensor }, ids: tf.Tensor) => tf.gather(table, ids as tf.Tensor2D);
  const { loss, accuracy } = await textQualityOf(engine, 'table', logits, { table }, loader);
  const none = { batches: () => [{ parts: [text([1, 0], [1, -100])] }] } as unknown as typeof loader;
  await assert.rejects(textQualityOf(engine, 'table', logits, { table }, none), {
    ...{ name: 'RequestError', message: /nothing to measure/, hint: /^Raise text\.cutoff/ },
  });
  const odd = {
    table: engine.put(
      float32(
        [3, 3],
        Float32Array.from(next.flat(), () => Number.NaN),
      ),
    ),
  };
  await assert.rejects(textQualityOf(engine, 'table', logits, odd, loader), {
    ...{ name: 'TrialError', message: 'the cross-entropy of table is NaN' },
  });
  await engine.dispose();
  const expected = -(Math.log(0.25) + Math.log(0.8) + Math.log(0.1)) / 3;
  assert.ok(Math.abs(loss - expected) < 1e-6, `${loss}, expected ${expected}`);
  assert.ok(Math.abs(accuracy - 100 / 3) < 1e-6);
});
