/** Matrices of 8 bits are made numbers for one product at a time: a deep network needs the memory of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { convert } from '../../../../../src/engine/nvidia/loops/convert.js';
import { planOf } from '../../../../../src/engine/nvidia/programs/plan.js';
import '../../../../../src/engine/onnx/kernels/index.js';
import { traceGraph } from '../../../../../src/engine/onnx/tracer.js';
import { type Quantised, quantisedLinear } from '../../../../../src/engine/ops/quantised-linear.js';

interface Inputs {
  readonly x: tf.Tensor;
  readonly layers: readonly Quantised<tf.Tensor>[];
}

const side = 256;

function arenaOf(layers: number): number {
  const given = {
    x: { shape: [8, side], dtype: 'float32' },
    layers: Array.from({ length: layers }, () => ({
      codes: { shape: [side, side], dtype: 'uint8' },
      scale: { shape: [side], dtype: 'float32' },
    })),
  };
  const loss = (x: tf.Tensor, layers: Inputs['layers']) =>
    layers.reduce((y, layer) => tf.sin(quantisedLinear(y, [layer])), x).sum();
  const { graph } = traceGraph(
    ({ x, layers }: Inputs) => tf.grad((moving) => loss(moving, layers))(x),
    given as never,
    {
      multipliesCodes: true,
    },
  );
  const fixed = new Set(graph.inputs.map(({ name }) => name).filter((name) => name !== 'in/x'));
  return planOf(convert(graph, 'float32', fixed), fixed).arenaBytes;
}

test('a layer more needs no other matrix in memory, though its gradient needs its numbers again', () => {
  const matrix = 4 * side * side;
  const [two, eight] = [arenaOf(2), arenaOf(8)];
  assert.ok(two > matrix && two < 2 * matrix, `${two / matrix}`);
  assert.ok(eight - two < 0.5 * matrix, `${(eight - two) / matrix}`);
});
