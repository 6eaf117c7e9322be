/** Mixed precision, tried on the CPU: its numbers are those of bfloat16, its kernels those of float32. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../../../src/engine/onnx/engine.js';
import '../../../../src/engine/onnx/kernels/index.js';
import type { GraphNode, GraphParts } from '../../../../src/engine/onnx/model-proto.js';
import { toBfloat16, withNarrowProducts } from '../../../../src/engine/onnx/programs/mixed-precision.js';
import { traceGraph } from '../../../../src/engine/onnx/tracer.js';
import { gelu } from '../../../../src/engine/ops/gelu.js';
import { linear } from '../../../../src/engine/ops/linear.js';
import { frozenOnDevice, toDevice } from '../../../../src/engine/transfer.js';
import { Random } from '../../../../src/shared/random.js';
import { randomArray } from '../../tensors.js';

test('bfloat16 is the upper half of float32, rounded to the nearest', () => {
  const cases: readonly (readonly [number, number])[] = [
    [1, 0x3f80],
    [-2.5, 0xc020],
    [1 + 2 ** -8, 0x3f80], // half-way: to the even one
    [1 + 3 * 2 ** -8, 0x3f82],
    [1 + 2 ** -8 + 2 ** -20, 0x3f81],
    [3.4028234e38, 0x7f80], // beyond the largest: infinity
    [Number.POSITIVE_INFINITY, 0x7f80],
    [0, 0],
  ];
  const values = Float32Array.from(cases, ([value]) => value);
  assert.deepEqual(
    [...toBfloat16(values)],
    cases.map(([, bits]) => bits),
  );
  const [nan] = toBfloat16(Float32Array.of(Number.NaN));
  assert.ok((nan! & 0x7f80) === 0x7f80 && (nan! & 0x7f) !== 0);
});

const random = Random.of(0, 'mixed precision');
const weights = () => [randomArray(random, [16, 32]), randomArray(random, [16, 16])] as const;
const x = randomArray(random, [8, 16]);

interface Inputs {
  readonly first: tf.Tensor2D;
  readonly second: tf.Tensor2D;
  readonly x: tf.Tensor2D;
}

const step = ({ first, second, x }: Inputs) => {
  const loss = (...[a, b]: tf.Tensor[]) =>
    linear(gelu(linear(x, a as tf.Tensor2D)).reshape([16, 16]), b as tf.Tensor2D)
      .square()
      .mean() as tf.Scalar;
  return tf.valueAndGrads(loss)([first, second]);
};

const graph = () => {
  const [first, second] = weights();
  const shape = (array: { readonly shape: readonly number[] }) => ({ shape: array.shape, dtype: 'float32' as const });
  return traceGraph(step, { first: first, second: shape(second), x: shape(x) } as never).graph;
};
const named = ({ nodes }: GraphParts, operator: string) => nodes.filter((node) => node.operator === operator);

test('products take and give 16 bits, all else float32', () => {
  const before = graph();
  const after = withNarrowProducts(before, 'native');
  const isHalf = (name: string) => name.endsWith('/half');
  const gemms = named(after, 'Gemm');
  assert.equal(gemms.length, named(before, 'Gemm').length);
  assert.ok(gemms.every(({ inputs, outputs }) => [...inputs, ...outputs].every(isHalf)));
  const others = after.nodes.filter(({ operator }) => !['Gemm', 'Cast', 'Transpose', 'Reshape'].includes(operator));
  assert.deepEqual(others.flatMap(({ inputs }) => inputs).filter(isHalf), []);
  assert.deepEqual(after.outputs, before.outputs);
  // A weight that the program holds is held in 16 bits alone.
  const held = after.constants.filter(({ name }) => name.startsWith('in/'));
  assert.deepEqual(
    held.map(({ name, dtype, bytes }) => [name, dtype, bytes.length]),
    [['in/first/half', 'bfloat16', 16 * 32 * 2]],
  );
  const casts = new Set(named(after, 'Cast').map(({ inputs, outputs }) => `${inputs} ${outputs}`));
  assert.equal(casts.size, named(after, 'Cast').length, 'no value is narrowed twice');
});

test('a view between two products stays narrow, and what is added to a product is added in float32', () => {
  const node = (operator: string, inputs: string[], output: string): GraphNode => ({
    ...{ operator, domain: '', inputs, outputs: [output], attributes: {} },
  });
  const value = (name: string) => ({ name, shape: [2, 2], dtype: 'float32' as const });
  const parts: GraphParts = {
    nodes: [
      node('MatMul', ['a', 'b'], 'p'),
      node('Transpose', ['p'], 't'),
      node('Reshape', ['t', 'shape'], 'r'),
      node('Gemm', ['r', 'b', 'a'], 'q'),
    ],
    constants: [],
    inputs: [value('a'), value('b')],
    outputs: [value('q')],
  };
  const { nodes } = withNarrowProducts(parts, 'native');
  assert.deepEqual(
    nodes.map(({ operator, inputs, outputs }) => `${operator} ${inputs} -> ${outputs}`),
    [
      'Cast a -> a/half',
      'Cast b -> b/half',
      'MatMul a/half,b/half -> p/half',
      'Transpose p/half -> t/half',
      'Reshape t/half,shape -> r/half',
      'Gemm r/half,b/half -> q/product/half',
      'Cast q/product/half -> q/product',
      'Add q/product,a -> q',
    ],
  );
});

test('losses and gradients are those of float32 but for the rounding of 16 bits', async (t) => {
  const [wide, narrow] = [
    await createOnnxEngine({ threads: 1 }),
    await createOnnxEngine({ threads: 1, narrowProducts: 'emulated' }),
  ];
  t.after(async () => Promise.all([wide.dispose(), narrow.dispose()]));
  const [first, second] = weights();
  const [expected, actual] = await Promise.all(
    [wide, narrow].map(async (engine) => {
      const given = { ...toDevice(engine, { x, first }), ...frozenOnDevice(engine, { second }) };
      const { value, grads } = await engine.compile('step', step)(given as never);
      return Promise.all([value, ...grads].map(async (each) => (await engine.get(each)).data as Float32Array));
    }),
  );
  for (const [index, wanted] of expected!.entries()) {
    const largest = Math.max(...wanted.map(Math.abs));
    const error = Math.max(...wanted.map((number, at) => Math.abs(number - actual![index]![at]!)));
    // bfloat16 rounds by up to 2^-9 of a number: a few roundings one after the other.
    assert.ok(error < 4 * 2 ** -9 * largest, `${index}: ${error} of ${largest}`);
    assert.ok(error > 0, `${index}: something was rounded`);
  }
});
