/**
 * Fused ops: hand-derived gradients against central finite differences (CPU backend, double-checked by the plain
 * composition under TensorFlow.js' own differentiation), and the engine's fused kernels against the decompositions.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import * as ort from 'onnxruntime-node';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { trace, traceGraph } from '../../../src/engine/onnx/tracer.js';
import { attention, decomposedAttention } from '../../../src/engine/ops/attention.js';
import { decomposedGelu, gelu } from '../../../src/engine/ops/gelu.js';
import { decomposedGroupedAttention, groupedAttention, hidden } from '../../../src/engine/ops/grouped-attention.js';
import { decomposedLayerNorm, layerNorm } from '../../../src/engine/ops/layer-norm.js';
import { decomposedLinear, linear } from '../../../src/engine/ops/linear.js';
import { decomposedLowRankLinear, lowRankLinear } from '../../../src/engine/ops/low-rank-linear.js';
import { decomposedRmsNorm, rmsNorm } from '../../../src/engine/ops/rms-norm.js';
import { decomposedRotary, rotary } from '../../../src/engine/ops/rotary.js';
import { decomposedSwiGlu, swiGlu } from '../../../src/engine/ops/swiglu.js';
import { float32, type NdArray } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { assertClose, onEngine, onReference, randomArray } from '../tensors.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());
const random = Random.of(0, 'fused');
const array = (...shape: number[]) => randomArray(random, shape);

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;
interface Case {
  readonly fused: Op;
  /** The same out of plain operations, differentiated by TensorFlow.js. */
  readonly plain: Op;
  readonly inputs: readonly NdArray[];
  /** Inputs that get no gradient, by position. */
  readonly frozen?: readonly number[];
}

const cases: Record<string, Case> = {
  linear: {
    fused: (x, w, b) => linear(x!, w!, b!),
    plain: (x, w, b) => decomposedLinear({ x: x!, weight: w!, bias: b! }, {})[0]!,
    inputs: [array(2, 3, 4), array(4, 5), array(5)],
  },
  'low-rank linear': {
    fused: (x, w, b, down, up) => lowRankLinear(x!, w!, b!, { down: down!, up: up! }, 0.5),
    plain: (x, weight, bias, down, up) =>
      decomposedLowRankLinear({ x: x!, weight: weight!, bias: bias!, down: down!, up: up! }, { scale: 0.5 })[0]!,
    inputs: [array(2, 3, 4), array(4, 5), array(5), array(4, 2), array(2, 5)],
    frozen: [1],
  },
  'low-rank linear, wide for its rank': {
    fused: (x, w, b, down, up) => lowRankLinear(x!, w!, b!, { down: down!, up: up! }, 0.5),
    plain: (x, weight, bias, down, up) =>
      decomposedLowRankLinear({ x: x!, weight: weight!, bias: bias!, down: down!, up: up! }, { scale: 0.5 })[0]!,
    inputs: [array(2, 3, 8), array(8, 6), array(6), array(8, 1), array(1, 6)],
    frozen: [1],
  },
  'layer norm': {
    fused: (x, scale, offset) => layerNorm(x!, scale!, offset!, 1e-6),
    plain: (x, scale, offset) => decomposedLayerNorm({ x: x!, scale: scale!, offset: offset! }, { epsilon: 1e-6 })[0]!,
    inputs: [array(2, 3, 8), array(8), array(8)],
  },
  gelu: { fused: (x) => gelu(x!), plain: (x) => decomposedGelu({ x: x! })[0]!, inputs: [array(3, 7)] },
  attention: {
    fused: (query, key, value) => attention(query!, key!, value!, { heads: 2 }),
    plain: (query, key, value) =>
      decomposedAttention({ query: query!, key: key!, value: value! }, { heads: 2, causal: false })[0]!,
    inputs: [array(2, 5, 8), array(2, 5, 8), array(2, 5, 8)],
  },
  'causal attention': {
    fused: (query, key, value) => attention(query!, key!, value!, { heads: 2, causal: true }),
    plain: (query, key, value) =>
      decomposedAttention({ query: query!, key: key!, value: value! }, { heads: 2, causal: true })[0]!,
    inputs: [array(2, 5, 8), array(2, 5, 8), array(2, 5, 8)],
  },
  'rms norm': {
    fused: (x, scale) => rmsNorm(x!, scale!, 1e-5),
    plain: (x, scale) => decomposedRmsNorm({ x: x!, scale: scale! }, { epsilon: 1e-5 })[0]!,
    inputs: [array(2, 3, 8), array(8)],
  },
  rotary: {
    fused: (x, cosine, sine) => rotary(x!, { cosine: cosine!, sine: sine! }),
    plain: (x, cosine, sine) => decomposedRotary({ x: x!, cosine: cosine!, sine: sine! })[0]!,
    // Any tables will do: the op does not know that they are cosines and sines of one angle.
    inputs: [array(2, 3, 24), array(3, 4), array(3, 4)],
    frozen: [1, 2],
  },
  swiglu: {
    fused: (gate, up) => swiGlu(gate!, up!),
    plain: (gate, up) => decomposedSwiGlu({ gate: gate!, up: up! })[0]!,
    inputs: [array(3, 7), array(3, 7)],
  },
  'grouped attention': {
    fused: (query, key, value, mask) => groupedAttention(query!, key!, value!, mask!, { heads: 4, keyValueHeads: 2 }),
    plain: (query, key, value, mask) =>
      decomposedGroupedAttention(
        { query: query!, key: key!, value: value!, mask: mask! },
        { heads: 4, keyValueHeads: 2 },
      )[0]!,
    inputs: [array(2, 3, 16), array(2, 5, 8), array(2, 5, 8), maskOf([5, 3], 3, 5)],
    frozen: [3],
  },
};

/** Queries see the last `seen` keys: [batch, 1, queries, keys]. */
function maskOf(seen: readonly number[], queries: number, keys: number): NdArray {
  const data = seen.flatMap((last) =>
    Array.from({ length: queries * keys }, (_, index) => (index % keys >= keys - last ? 0 : hidden)),
  );
  return float32([seen.length, 1, queries, keys], Float32Array.from(data));
}

const gradientsOf =
  (op: Op, frozen: readonly number[] = []) =>
  (inputs: Record<string, tf.Tensor>) => {
    const all = Object.values(inputs);
    const moving = all.map((_, index) => index).filter((index) => !frozen.includes(index));
    const loss = (...moved: tf.Tensor[]) => {
      const result = op(...all.map((tensor, index) => moved[moving.indexOf(index)] ?? tensor));
      return result.mul(result.sigmoid()).sum<tf.Scalar>();
    };
    const { value, grads } = tf.valueAndGrads(loss)(moving.map((index) => all[index]!));
    return { value, grads };
  };

for (const [name, { fused, plain, inputs, frozen }] of Object.entries(cases)) {
  const named = Object.fromEntries(inputs.map((input, index) => [`input${index}`, input]));
  const expected = () => onReference(gradientsOf(plain, frozen), named);

  test(`${name}: hand-derived gradients equal those of the decomposition`, () => {
    assertClose(onReference(gradientsOf(fused, frozen), named), expected(), 1e-5);
  });

  test(`${name}: the engine's fused kernels equal the decomposition`, async () => {
    assertClose(await onEngine(engine, name, gradientsOf(fused, frozen), named), expected(), 2e-5);
  });

  test(`${name}: without fused operators, as WebGPU needs it, the program computes the same`, async () => {
    const { model, inputs: used } = trace(gradientsOf(fused, frozen), named, { fused: false });
    assert.deepEqual([...used], [], 'the program holds its inputs');
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
    const results = Object.entries(await session.run({}));
    await session.release();
    const actual = new Map(results.map(([path, { data }]) => [path.slice('out/'.length), [...(data as Float32Array)]]));
    assertClose(actual, expected(), 2e-5);
  });

  test(`${name}: gradients agree with central finite differences`, () => {
    const analytic = onReference(gradientsOf(fused, frozen), named);
    const moving = inputs.map((_, index) => index).filter((index) => !frozen?.includes(index));
    const valueAt = (changed: number, element: number, by: number) => {
      const moved = { ...named };
      const data = Float32Array.from(inputs[changed]!.data);
      data[element]! += by;
      moved[`input${changed}`] = float32(inputs[changed]!.shape, data);
      return onReference(gradientsOf(fused, frozen), moved).get('value')![0]!;
    };
    for (const [position, input] of moving.entries()) {
      const step = 1e-2; // float32: truncation of order 1e-4 and rounding of order 1e-4 balance here
      const element = inputs[input]!.data.length >> 1;
      const numeric = (valueAt(input, element, step) - valueAt(input, element, -step)) / (2 * step);
      const exact = analytic.get(`grads/${position}`)![element]!;
      assert.ok(Math.abs(numeric - exact) < 5e-3 * Math.max(1, Math.abs(exact)), `${numeric} against ${exact}`);
    }
  });
}

test('attention that is too long to be written out on the CPU equals the decomposition', async () => {
  const { fused, plain } = cases['attention']!;
  const named = Object.fromEntries([0, 1, 2].map((index) => [`input${index}`, array(1, 130, 4)]));
  const expected = onReference(gradientsOf(plain), named);
  assertClose(await onEngine(engine, 'long attention', gradientsOf(fused), named), expected, 2e-5);
});

/** Names of the operators of a program for GELU of x [rows, width], with its gradient or without, as the CPU's engine traces it. */
function geluOperators(rows: number, width: number, withGradient: boolean, shortSequence = 128): string[] {
  const square = (x: tf.Tensor) => gelu(x).square().sum() as tf.Scalar;
  const run = ({ x }: { x: tf.Tensor }) => (withGradient ? tf.valueAndGrads(square)([x]) : gelu(x));
  const { graph } = traceGraph(run, { x: { shape: [rows, width], dtype: 'float32' } }, { shortSequence });
  return graph.nodes.map(({ operator }) => operator);
}

test('a small GELU shares the normal distribution with its gradient, a large one and one without gradient do not', () => {
  const count = (names: readonly string[], name: string) => names.filter((each) => each === name).length;
  const small = geluOperators(8, 16, true);
  assert.deepEqual([count(small, 'Gelu'), count(small, 'Erf')], [0, 1]);
  const large = geluOperators(1024, 513, true); // 2^19 elements and some
  assert.deepEqual([count(large, 'Gelu'), count(large, 'Erf')], [1, 1]);
  assert.deepEqual(geluOperators(8, 16, false), ['Gelu']);
  const onCard = geluOperators(8, 16, true, 0);
  assert.deepEqual([count(onCard, 'Gelu'), count(onCard, 'Erf')], [1, 1], 'a card keeps nothing');
});

test('a product that is asked for twice is made once', () => {
  const shape = [4, 4];
  const run = ({ x }: { x: tf.Tensor2D }) => ({
    sum: tf.matMul(x, x).add(tf.matMul(x, x, false, true)),
    again: tf.matMul(x, x),
  });
  const { graph } = traceGraph(run, { x: { shape, dtype: 'float32' } });
  assert.equal(graph.nodes.filter(({ operator }) => operator === 'Gemm').length, 2);
});

test('parts of a tensor that are put together again are the tensor', () => {
  const run = ({ x }: { x: tf.Tensor }) => ({
    same: tf.concat(tf.split(x, 3)).neg(),
    turned: tf.concat(tf.split(x, 3).toReversed()),
  });
  const { graph } = traceGraph(run, { x: { shape: [6, 2], dtype: 'float32' } });
  const operators = graph.nodes.map(({ operator }) => operator);
  assert.deepEqual(
    operators.filter((name) => name === 'Concat'),
    ['Concat'],
  );
  assert.deepEqual(graph.nodes.find(({ operator }) => operator === 'Neg')!.inputs, ['in/x']);
});
