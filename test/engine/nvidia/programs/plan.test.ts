/** How many passes over memory a function takes: each launch of a kernel is one. */
import assert from 'node:assert/strict';
import test from 'node:test';

import tf = require('@tensorflow/tfjs');

import '../../../../src/engine/onnx/kernels/index.js';
import { convert } from '../../../../src/engine/nvidia/loops/convert.js';
import { type Plan, planOf } from '../../../../src/engine/nvidia/programs/plan.js';
import { traceGraph } from '../../../../src/engine/onnx/tracer.js';
import { attention } from '../../../../src/engine/ops/attention.js';
import { runFused } from '../../../../src/engine/ops/fused-kernel.js';
import { gelu } from '../../../../src/engine/ops/gelu.js';
import { layerNorm } from '../../../../src/engine/ops/layer-norm.js';
import { linear } from '../../../../src/engine/ops/linear.js';
import type { Precision } from '../../../../src/shared/engine-names.js';

type Inputs = Readonly<Record<string, tf.Tensor>>;

function plan(
  fn: (inputs: Inputs) => readonly tf.Tensor[],
  shapes: Readonly<Record<string, readonly number[]>>,
  { precision = 'tf32', fixed = [] }: { precision?: Precision; fixed?: readonly string[] } = {},
): Plan {
  const declared = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: 'float32' as const }]),
  );
  const { graph } = traceGraph(fn as never, declared as never, { keepsProbabilities: true });
  const names = new Set(fixed.map((name) => `in/${name}`));
  return planOf(convert(graph, precision, names), names);
}

const kernels = ({ launches }: Plan) => launches.filter(({ kind }) => kind === 'kernel').length;
const products = ({ launches }: Plan) => launches.filter(({ kind }) => kind === 'product').length;

test('a chain of maps is one pass', () => {
  const made = plan(({ x, y }) => [x!.mul(2).add(y!).tanh().sub(x!)], { x: [8, 16], y: [16] });
  assert.equal(kernels(made), 1);
});

test('a norm, with what is added before and scaled behind it, is one pass', () => {
  const shapes = { x: [4, 8, 64], y: [4, 8, 64], scale: [64], offset: [64] };
  const made = plan(({ x, y, scale, offset }) => [layerNorm(x!.add(y!), scale!, offset!, 1e-6).mul(3)], shapes);
  assert.equal(kernels(made), 1);
});

test('softmax is one pass, and attention three products beside it at most', () => {
  const shape = [2, 16, 64];
  const made = plan(({ q, k, v }) => [attention(q!, k!, v!, { heads: 1 })], { q: shape, k: shape, v: shape });
  assert.deepEqual([kernels(made), products(made)], [1, 2]);
});

test('the heads of all images are one product', () => {
  const shape = [5, 16, 64];
  const made = plan(({ q, k, v }) => [attention(q!, k!, v!, { heads: 4 })], { q: shape, k: shape, v: shape });
  assert.deepEqual([kernels(made), products(made)], [1, 2]);
  for (const launch of made.launches) {
    if (launch.kind === 'product') assert.equal(launch.c.matrix.offsets.length, 20);
  }
});

test('for the gradient attention keeps its probabilities, and not its result', () => {
  const shape = [2, 16, 64];
  const gradients = ({ q, k, v, dy }: Inputs) => {
    const inputs = { dy: dy!, query: q!, key: k!, value: v!, output: attention(q!, k!, v!, { heads: 1 }) };
    return runFused('EstaAttentionGrad', inputs, { heads: 1, causal: false });
  };
  const made = plan(gradients, { q: shape, k: shape, v: shape, dy: shape });
  // Scores, dP, dQ, dK and dV: nobody reads the result. What stands between them are rows of the same places.
  assert.deepEqual([kernels(made), products(made)], [1, 5]);
});

test('a large norm is made again where a product reads it long after, and a small one is kept', () => {
  const passes = (rows: number, between: number) => {
    const shapes = { x: [rows, 1024], scale: [1024], offset: [1024], w: [1024, 8], y: [4] };
    const made = plan(({ x, scale, offset, w, y }) => {
      const normed = layerNorm(x!, scale!, offset!, 1e-6) as tf.Tensor2D;
      const first = tf.matMul(normed, w as tf.Tensor2D);
      const late = Array.from({ length: between }).reduce((z: tf.Tensor, _, index) => z.mul(0.9).add(index), y!);
      return [tf.matMul(normed, first.mul(late.max()) as tf.Tensor2D, true)];
    }, shapes);
    return kernels(made);
  };
  assert.equal(passes(2048, 130), passes(2048, 10) + 1);
  assert.equal(passes(1024, 130), passes(1024, 10));
});

test('a bias and an activation behind a product are one pass, which its gradient repeats', () => {
  const shapes = { x: [32, 64], w: [64, 256], bias: [256] };
  const forward = plan(({ x, w, bias }) => [gelu(linear(x!, w!, bias!))], shapes, { precision: 'float32' });
  assert.deepEqual([kernels(forward), products(forward)], [1, 1]);
  const written = forward.launches.flatMap((launch) => (launch.kind === 'kernel' ? launch.code.values : []));
  assert.equal(written.length, 3); // product and bias in, one out
});

test('frozen weights stay where they are, all else is copied in', () => {
  const made = plan(({ x, w }) => [tf.matMul(x!, w!)], { x: [4, 8], w: [8, 8] }, { fixed: ['w'] });
  assert.deepEqual(
    made.inputs.map(({ name }) => name),
    ['in/x'],
  );
  const [launch] = made.launches;
  assert.ok(launch?.kind === 'product' && typeof launch.b.location.in === 'object');
});

test('parts of a whole are written where it lies', () => {
  const made = plan(({ x, y }) => [tf.concat([x!.mul(2), y!.mul(3)], 0)], { x: [2, 8], y: [3, 8] });
  assert.equal(kernels(made), 2); // no third that copies
});

test('in mixed precision factors are of 16 bits, and rounded where they are made', () => {
  const shapes = { x: [32, 64], w: [64, 64] };
  const made = plan(({ x, w }) => [tf.matMul(x!.mul(2), w!).add(1)], shapes, { precision: 'mixed' });
  const types = made.launches.flatMap((launch) =>
    launch.kind === 'product' ? [launch.a.type, launch.b.type, launch.c.type] : [],
  );
  assert.deepEqual(types, ['bfloat16', 'bfloat16', 'bfloat16']);
  assert.equal(kernels(made), 3); // both factors, and what is added behind
});

test('in TF32 a weight that many rows meet is stored along its sums', () => {
  const transposed = (rows: number) => {
    const made = plan(({ x, w }) => [tf.matMul(x!, w!)], { x: [rows, 64], w: [64, 128] });
    return made.launches.flatMap((launch) => (launch.kind === 'product' ? [launch.b.matrix.transposed] : []))[0];
  };
  assert.equal(transposed(4096), true);
  assert.equal(transposed(128), false);
});
