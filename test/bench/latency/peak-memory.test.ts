/** Memory that an exported network takes, whatever the process that asks holds itself. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { peakMemoryOf } from '../../../src/bench/latency/peak-memory.js';
import { exportModel } from '../../../src/engine/onnx/files/export.js';
import { narrowToHalf } from '../../../src/models/pretrained/formats/half.js';

const mebibyte = 2 ** 20;

test('a network takes as much memory for a large process as for a small one', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-memory-'));
  t.after(() => rm(folder, { recursive: true }));
  const images = [1, 8, 8, 3];
  const model = exportModel<{ readonly images: tf.Tensor }>({
    fn: ({ images }) => ({ logits: images.reshape([1, 192]).mul(2) }),
    inputs: () => ({ images: { shape: images, dtype: 'float32' } }),
    ...{ batch: 1, operators: 'standard', precision: 'float32', toHalf: narrowToHalf, metadata: {} },
  });
  const file = path.join(folder, 'network.onnx');
  await writeFile(file, model);
  const small = await peakMemoryOf({ file, images }, { threads: 1 });
  const held = Buffer.alloc(300 * mebibyte, 1);
  const large = await peakMemoryOf({ file, images }, { threads: 1 });
  assert.ok(held.length > 0 && large < small + 50 * mebibyte, `${small} and ${large} bytes`);
});
