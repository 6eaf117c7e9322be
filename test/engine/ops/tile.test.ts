/** Repetition and its gradient: the sum over the copies, in one operator however many there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { traceGraph } from '../../../src/engine/onnx/tracer.js';
import { tile } from '../../../src/engine/ops/tile.js';
import '../../../src/engine/onnx/kernels/index.js';

const gradientOf = ({ x, weights }: { x: tf.Tensor; weights: tf.Tensor }) => ({
  dx: tf.grad((x: tf.Tensor) => tile(x, [2, 1, 2]).mul(weights) as tf.Scalar)(x),
});

test('the gradient is the sum over the copies, along every repeated axis', () => {
  tf.setBackend('cpu');
  const x = tf.tensor3d([1, 2], [1, 2, 1]);
  assert.deepEqual([...tile(x, [2, 1, 2]).dataSync()], [1, 1, 2, 2, 1, 1, 2, 2]);
  const weights = tf.tensor3d([1, 10, 2, 20, 3, 30, 4, 40], [2, 2, 2]);
  const { dx } = gradientOf({ x, weights });
  assert.deepEqual(dx.shape, [1, 2, 1]);
  assert.deepEqual([...dx.dataSync()], [1 + 10 + 3 + 30, 2 + 20 + 4 + 40]);
});

test('a program for many copies has no more operators', () => {
  const nodes = (copies: number) =>
    traceGraph(
      ({ x }: { x: tf.Tensor }) => ({ dx: tf.grad((x: tf.Tensor) => tile(x, [copies, 1]).square() as never)(x) }),
      {
        x: { shape: [1, 3], dtype: 'float32' },
      },
    ).graph.nodes.length;
  assert.equal(nodes(64), nodes(2));
});
