/** Weights of 8 bits: codes worked out by hand, products and gradients against the dequantised matrix in float64. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { type QuantisedProjection, quantised, quantisedProjection } from '../../src/models/quantise.js';
import { type Float32NdArray, float32, type NdArray } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { assertClose, onEngine, onReference, randomArray } from '../engine/tensors.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());
const random = Random.of(0, 'quantise');

test('codes: the largest of a row is 127 from the middle, zero is the middle, a row of zeros stays one', () => {
  const { parts } = quantised(float32([3, 2], Float32Array.of(1, -0.5, 0, -4, 0, 0)));
  assert.deepEqual(parts, [
    {
      // -0.5 * 127 = -63.5 rounds up.
      codes: { dtype: 'uint8', shape: [3, 2], data: Uint8Array.of(255, 65, 128, 1, 128, 128) },
      scale: float32([3], Float32Array.of(1 / 127, 4 / 127, 0)),
    },
  ]);
});

/** The matrix [in, out] that the codes stand for. */
function dequantised({ parts }: QuantisedProjection<NdArray>, inputs: number): number[][] {
  return Array.from({ length: inputs }, (_, input) =>
    parts.flatMap(({ codes, scale }) => {
      return Array.from(scale.data, (step, output) => (codes.data[output * inputs + input]! - 128) * step);
    }),
  );
}

/** x W of rows, in float64. */
const product = (x: Float32NdArray, w: number[][]) =>
  Array.from({ length: x.data.length / w.length }, (_, row) =>
    w[0]!.map((_, output) => w.reduce((sum, from, input) => sum + x.data[row * w.length + input]! * from[output]!, 0)),
  ).flat();

test('a matrix that is too large for one part: each has its outputs', () => {
  const [inputs, outputs] = [2 ** 20, 6];
  const weight = float32([outputs, inputs], new Float32Array(inputs * outputs));
  for (let output = 0; output < outputs; output++) weight.data[output * inputs] = output + 1;
  const { parts } = quantised(weight);
  assert.deepEqual(
    parts.map(({ codes }) => codes.shape),
    [
      [4, inputs],
      [2, inputs],
    ],
  );
  assert.deepEqual([...parts[1]!.scale.data], [5 / 127, 6 / 127].map(Math.fround));
});

const [inputs, outputs] = [96, 40];
const weight = randomArray(random, [outputs, inputs]) as Float32NdArray;
const layer = quantised(weight);
const w = dequantised(layer, inputs);

test('quantising moves no weight by more than half a step of its row', () => {
  for (let output = 0; output < outputs; output++) {
    const row = weight.data.subarray(output * inputs, (output + 1) * inputs);
    const step = Math.max(...Array.from(row, Math.abs)) / 127;
    for (const [input, value] of row.entries()) {
      assert.ok(Math.abs(w[input]![output]! - value) <= 0.5001 * step);
    }
  }
});

const forward = ({ x, layer: given }: { x: tf.Tensor; layer: QuantisedProjection<tf.Tensor> }) => ({
  y: quantisedProjection(x, given),
});

test('many rows: the product with the dequantised matrix, on both kinds of backends', async () => {
  const x = randomArray(random, [2, 3, inputs]) as Float32NdArray;
  const expected = new Map([['y', product(x, w)]]);
  assertClose(await onEngine(engine, 'rows', forward, { x, layer }), expected, 1e-5);
  assertClose(onReference(forward, { x, layer }), expected, 1e-5);
});

test('gradients reach what lies before the layer', async () => {
  const x = randomArray(random, [4, inputs]) as Float32NdArray;
  const upstream = randomArray(random, [4, outputs]) as Float32NdArray;
  const backward = (given: { x: tf.Tensor; upstream: tf.Tensor; layer: QuantisedProjection<tf.Tensor> }) => ({
    dx: tf.grad((moved) => quantisedProjection(moved, given.layer).mul(given.upstream).sum())(given.x),
  });
  const transposed = w[0]!.map((_, output) => w.map((row) => row[output]!));
  const expected = new Map([['dx', product(upstream, transposed)]]);
  assertClose(await onEngine(engine, 'gradient', backward, { x, upstream, layer }), expected, 1e-5);
  assertClose(onReference(backward, { x, upstream, layer }), expected, 1e-5);
});
