/** Every group of kernels, forward and backward, against TensorFlow.js' own CPU backend. Tolerance: float32 rounding. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { int32, type NdArray } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { assertClose, onEngine, onReference, randomArray } from '../tensors.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());
const random = Random.of(0, 'kernels');
const array = (...shape: number[]) => randomArray(random, shape);

type Inputs = { x: tf.Tensor; y: tf.Tensor };
/** The value, and the gradients of a weighted sum of it, so that no gradient is trivially symmetric. */
const withGradients =
  (fn: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor) =>
  ({ x, y }: Inputs) => {
    const weighted = (a: tf.Tensor, b: tf.Tensor) => {
      const result = fn(a, b);
      return result.mul(result.sigmoid()).sum() as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(weighted)([x, y]);
    return { result: fn(x, y), value, grads };
  };

const differentiable: Record<string, [(x: tf.Tensor, y: tf.Tensor) => tf.Tensor, NdArray, NdArray]> = {
  'add, sub, mul, div with broadcasting': [
    (x, y) => x.add(y).mul(x.sub(y)).div(y.square().add(1)),
    array(3, 4),
    array(4),
  ],
  'maximum, minimum': [(x, y) => tf.maximum(x, y).add(tf.minimum(x, y.neg())), array(3, 4), array(3, 4)],
  'exp, log, sqrt, rsqrt, tanh, erf': [
    (x, y) => x.exp().log().add(y.square().add(1).sqrt()).add(y.square().add(1).rsqrt()).add(x.tanh()).add(y.erf()),
    array(3, 4),
    array(3, 4),
  ],
  'sin, cos': [(x, y) => x.sin().mul(y.cos()), array(5), array(5)],
  'relu, clip': [(x, y) => x.relu().add(y).clipByValue(-0.8, 0.9), array(4, 4), array(4, 4)],
  'sums and means over axes': [(x, y) => x.sum(1).add(y.mean([1, 2])), array(3, 4), array(3, 4, 2)],
  'max over an axis': [(x, y) => x.max(1).mul(y.min(0)), array(3, 4), array(5, 3)],
  'softmax, log-softmax': [(x, y) => tf.softmax(x).add(tf.logSoftmax(y)), array(3, 4), array(3, 4)],
  'matrix product, transposed': [(x, y) => tf.matMul(x, y, true, true), array(4, 3), array(5, 4)],
  'batched product': [(x, y) => tf.matMul(x, y), array(2, 3, 4, 5), array(2, 3, 5, 3)],
  'reshape, transpose, expand': [
    (x, y) => x.reshape([3, 2, 2]).transpose([1, 0, 2]).expandDims(0).add(y),
    array(4, 3),
    array(2, 3, 2),
  ],
  'concat, slice, split, stack': [
    (x, y) =>
      tf.concat([x.slice([0, 1], [2, 2]), tf.split(y, 2, 1)[1]!], 1).add(tf.stack([x.max(), y.max()]).reshape([2, 1])),
    array(2, 3),
    array(2, 4),
  ],
  'unstack, pad, tile, reverse': [
    (x, y) =>
      tf
        .unstack(x)[1]!
        .pad([[1, 2]])
        .tile([2])
        .reverse()
        .add(y),
    array(3, 4),
    array(14),
  ],
  'RMSNorm, as in LLaMA': [
    (x, y) => x.mul(x.square().mean(-1, true).add(1e-6).rsqrt()).mul(y),
    array(2, 3, 8),
    array(8),
  ],
  'SwiGLU, as in LLaMA': [(x, y) => x.mul(x.sigmoid()).mul(y), array(3, 8), array(3, 8)],
  'rotary position embedding, as in LLaMA': [
    (x, y) => {
      const [first, second] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor];
      return x.mul(y.cos()).add(tf.concat([second.neg(), first], -1).mul(y.sin()));
    },
    array(2, 3, 5, 8),
    array(5, 8),
  ],
  'patch convolution': [
    (x, y) => tf.conv2d(x as tf.Tensor4D, y as tf.Tensor4D, 2, 'valid'),
    array(2, 6, 6, 3),
    array(2, 2, 3, 4),
  ],
  'strided convolution with padding': [
    (x, y) => tf.conv2d(x as tf.Tensor4D, y as tf.Tensor4D, 2, 'same'),
    array(2, 7, 7, 3),
    array(3, 3, 3, 4),
  ],
  '7 x 7 depthwise convolution, of 3 channels: not in blocks': [
    (x, y) => tf.depthwiseConv2d(x as tf.Tensor4D, y as tf.Tensor4D, 1, 'same'),
    array(2, 8, 8, 3),
    array(7, 7, 3, 1),
  ],
  '7 x 7 depthwise convolution, of blocks and a part of one': [
    (x, y) => tf.depthwiseConv2d(x as tf.Tensor4D, y as tf.Tensor4D, 1, 'same'),
    array(2, 8, 9, 36),
    array(7, 7, 36, 1),
  ],
  'depthwise convolution of an even side, padded unequally': [
    (x, y) => tf.depthwiseConv2d(x as tf.Tensor4D, y as tf.Tensor4D, 1, 'same'),
    array(2, 5, 6, 16),
    array(2, 4, 16, 1),
  ],
  'depthwise convolution without padding': [
    (x, y) => tf.depthwiseConv2d(x as tf.Tensor4D, y as tf.Tensor4D, 1, 'valid'),
    array(2, 5, 6, 16),
    array(3, 2, 16, 1),
  ],
  'depthwise convolution with strides': [
    (x, y) => tf.depthwiseConv2d(x as tf.Tensor4D, y as tf.Tensor4D, 2, 'same'),
    array(2, 7, 7, 16),
    array(3, 3, 16, 1),
  ],
};

for (const [name, [fn, x, y]] of Object.entries(differentiable)) {
  test(`${name}: value and gradients equal the CPU backend's`, async () => {
    const inputs = { x, y };
    assertClose(await onEngine(engine, name, withGradients(fn), inputs), onReference(withGradients(fn), inputs), 2e-5);
  });
}

test('ranges are known while tracing', async () => {
  const fn = () => ({ falling: tf.range(5, -1, -2), whole: tf.range(0, 3, 1, 'int32') });
  assertClose(await onEngine(engine, 'range', fn, {}), onReference(fn, {}), 0);
});

test('gathering rows of a table, and its gradient, which adds up repeated rows', async () => {
  const inputs = { table: array(5, 3), rows: int32([4], Int32Array.of(4, 1, 1, 0)) };
  const fn = ({ table, rows }: { table: tf.Tensor2D; rows: tf.Tensor1D }) => {
    const { value, grad } = tf.valueAndGrad((t) => tf.gather(t, rows).square().sum())(table);
    return { value, grad };
  };
  assertClose(await onEngine(engine, 'gather', fn, inputs), onReference(fn, inputs), 1e-5);
});

test('one-hot labels, arg-max and comparisons', async () => {
  const inputs = { logits: array(4, 5), labels: int32([4], Int32Array.of(0, 4, 2, 2)) };
  const fn = ({ logits, labels }: { logits: tf.Tensor; labels: tf.Tensor }) => ({
    targets: tf.oneHot(labels as tf.Tensor1D, 5, 0.9, 0.02, 'float32'),
    best: logits.argMax(-1),
    chosen: tf.where(logits.greater(0), logits, tf.zerosLike(logits)),
    hits: logits.argMax(-1).equal(labels).cast('float32').sum(),
  });
  assertClose(await onEngine(engine, 'labels', fn, inputs), onReference(fn, inputs), 1e-6);
});

test('a kernel that the engine lacks is named', async () => {
  const run = engine.compile('fft', ({ x }: { x: tf.Tensor }) => tf.diag(x));
  await assert.rejects(run({ x: engine.put(array(3)) }), /onnxruntime engine has no kernel Diag/);
});

test('reading a tensor while tracing is refused', async () => {
  const run = engine.compile('read', ({ x }: { x: tf.Tensor }) => tf.scalar(x.dataSync()[0]!));
  await assert.rejects(run({ x: engine.put(array(3)) }), /may not read the values/);
});

test('the same key and shapes compile once; another shape compiles anew', async () => {
  let traced = 0;
  const run = engine.compile('counted', ({ x }: { x: tf.Tensor }) => {
    traced++;
    return x.sum();
  });
  for (const size of [3, 3, 4, 3]) await run({ x: engine.put(array(size)) });
  assert.equal(traced, 2);
});

test('a bounded cache releases the program unused for longest and compiles it again on demand', async () => {
  const small = await createOnnxEngine({ threads: 1, programs: 2 });
  let traced = 0;
  const run = small.compile('evicted', ({ x }: { x: tf.Tensor }) => {
    traced++;
    return x.mul(2);
  });
  for (const size of [1, 2, 3, 1]) {
    const result = await run({ x: small.put(array(size)) });
    assert.equal((await small.get(result)).data.length, size);
  }
  assert.equal(traced, 4);
  await small.dispose();
});
