/** One file for batches of any size, in any operators and precision, beside the same network run image by image. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import * as ort from 'onnxruntime-node';
import type { OperatorSet, Precision } from '../../../../src/config/deployment-options.js';
import { exportModel } from '../../../../src/engine/onnx/files/export.js';
import { architectureNamed } from '../../../../src/models/architectures.js';
import { runNetwork } from '../../../../src/models/blockwise.js';
import type { NetworkWeights } from '../../../../src/models/family.js';
import type { Linear } from '../../../../src/models/layers.js';
import { narrowToHalf } from '../../../../src/models/pretrained/formats/half.js';
import { initialHead, initialWeights } from '../../../../src/models/weights.js';
import { Random } from '../../../../src/shared/random.js';

interface Given {
  readonly weights: NetworkWeights<tf.Tensor>;
  readonly head: Linear<tf.Tensor>;
  readonly images: tf.Tensor;
}

interface Form {
  readonly batch?: number;
  readonly operators?: OperatorSet;
  readonly precision?: Precision;
}

const side = 32;
const classes = 5;

/** A network with random weights as a file. */
function fileOf(name: string, { batch, operators = 'standard', precision = 'float32' }: Form): Uint8Array {
  const architecture = architectureNamed(name, side);
  const weights = initialWeights(architecture, Random.of(0, name));
  const head = initialHead(architecture.blocks.at(-1)!.width, classes, Random.of(0, 'head'));
  return exportModel<Given>({
    fn: (given) => ({ logits: runNetwork(architecture, given.weights, given.head, given.images) }),
    inputs: (size) => ({ weights, head, images: { shape: [size, side, side, 3], dtype: 'float32' } }),
    batch,
    operators,
    precision,
    toHalf: narrowToHalf,
    metadata: {},
  });
}

async function logitsOf(model: Uint8Array, images: Float32Array): Promise<number[]> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const shape = [images.length / (side * side * 3), side, side, 3];
  const { logits } = await session.run({ images: new ort.Tensor('float32', images, shape) });
  assert.deepEqual(logits!.dims, [shape[0], classes]);
  await session.release();
  return Array.from(logits!.data as Float32Array);
}

const pixels = Random.of(0, 'images').truncatedNormal(5 * side * side * 3, 1);

function largestDifference(one: readonly number[], other: readonly number[]): number {
  assert.equal(one.length, other.length);
  return Math.max(...one.map((value, index) => Math.abs(value - other[index]!)));
}

for (const name of ['vit_mini_tiny', 'convnext_mini_tiny']) {
  test(`${name}: batches of any size, as with a file for single images`, async () => {
    const single = fileOf(name, { batch: 1, operators: 'onnxruntime' });
    const expected: number[] = [];
    const image = side * side * 3;
    for (let at = 0; at < pixels.length; at += image) {
      expected.push(...(await logitsOf(single, pixels.subarray(at, at + image))));
    }
    const size = Math.max(...expected.map(Math.abs));
    for (const operators of ['standard', 'onnxruntime'] as const) {
      const model = fileOf(name, { operators });
      for (const count of [1, 2, 5]) {
        const found = await logitsOf(model, pixels.subarray(0, count * image));
        const error = largestDifference(found, expected.slice(0, count * classes)) / size;
        assert.ok(error < 1e-5, `${operators}, ${count} images: ${error}`); // float32 sums in another order
      }
    }
  });

  test(`${name}: weights of fewer bits`, async () => {
    const full = fileOf(name, {});
    const expected = await logitsOf(full, pixels);
    const size = Math.max(...expected.map(Math.abs));
    // A weight is off by 2^-11 of itself, or by half of 1 / 127 of the largest of its column; errors of a layer average out. The rest of the file: positions, norms, the graph.
    for (const [precision, share, bound] of [
      ['float16', 0.5, 2e-3],
      ['int8', 0.25, 3e-2],
    ] as const) {
      const model = fileOf(name, { precision });
      const error = largestDifference(await logitsOf(model, pixels), expected) / size;
      assert.ok(error > 0 && error < bound, `${precision}: ${error}`);
      assert.ok(model.length < (share + 0.15) * full.length, `${precision}: ${model.length} of ${full.length} bytes`);
    }
  });

  test(`${name}: operators of the standard only, where only they are asked for`, () => {
    const text = (operators: OperatorSet) => Buffer.from(fileOf(name, { operators })).toString('latin1');
    assert.doesNotMatch(text('standard'), /com\.microsoft/);
    assert.match(text('onnxruntime'), /com\.microsoft/);
  });
}

test('extents that follow from the batch in other ways are refused', () => {
  const exported = (fn: (x: tf.Tensor) => tf.Tensor) =>
    exportModel<{ x: tf.Tensor }>({
      fn: ({ x }) => ({ y: fn(x) }),
      inputs: (size) => ({ x: { shape: [size, 4], dtype: 'float32' } }),
      operators: 'standard',
      precision: 'float32',
      toHalf: narrowToHalf,
      metadata: {},
    });
  assert.throws(() => exported((x) => tf.concat([x, tf.ones([1, 4])], 0)), /multiple of the batch/);
  assert.throws(() => exported((x) => tf.mul(x, 1 / x.shape[0]!)), /depends on the batch/);
});

test('tiled and expanded by the batch', async () => {
  const model = exportModel<{ x: tf.Tensor; row: tf.Tensor }>({
    fn: ({ x, row }) => ({
      y: row.tile([x.shape[0]!, 2]).add(tf.broadcastTo(x.mean(1, true), [x.shape[0]!, 4])),
    }),
    inputs: (size) => ({
      x: { shape: [size, 3], dtype: 'float32' },
      row: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(10, 20) },
    }),
    operators: 'standard',
    precision: 'float32',
    toHalf: narrowToHalf,
    metadata: {},
  });
  const session = await ort.InferenceSession.create(model);
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]) });
  assert.deepEqual([...y!.data], [12, 22, 12, 22, 15, 25, 15, 25]);
  await session.release();
});
