/** Right answers of a network whose logits are written down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../../src/data/batches/batches.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { answersOf } from '../../src/evaluation/accuracy.js';
import { float32, int32 } from '../../src/shared/arrays.js';

/** Three images of two classes, of which the batch has two; the "images" are the logits. */
const loaderOf = (...logits: number[]) =>
  ({
    async *batches() {
      const labels = int32([3], Int32Array.of(0, 1, -1));
      yield { epoch: 0, index: 0, images: float32([3, 1, 1, 2], Float32Array.from(logits)), labels, indices: [0, 1] };
    },
  }) as unknown as Pick<BatchLoader, 'batches'>;

test('each image is right or wrong; logits that are no numbers are no answer', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const answers = (...logits: number[]) =>
    answersOf(engine, 'given', (_: object, images: tf.Tensor) => images.reshape([3, 2]), {}, loaderOf(...logits));
  assert.deepEqual(await answers(1, 0, 1, 0, 0, 0), [true, false]);
  for (const odd of [Number.NaN, Infinity]) {
    await assert.rejects(answers(1, 0, odd, 0, 0, 0), {
      ...{ name: 'TrialError', message: `given answers with logits whose sum is ${odd}` },
      hint: 'Lower its learning rate.',
    });
  }
});
