/** AdamW against torch.optim.AdamW (fixture: test/fixtures/make-adamw.py). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { type AdamWState, adamW, decays } from '../../src/training/optimizer.js';
import { fixture } from '../fixture.js';

// 1 - 0.999^n keeps four digits in float32, PyTorch computes it in double: 3e-5 of a step of 0.1.
const tolerance = 1e-5;

test('three steps equal PyTorch, with decoupled decay on a matrix', async () => {
  const { start, gradients, rates, weightDecay, after } = JSON.parse(await readFile(fixture('adamw.json'), 'utf8'));
  tf.setBackend('cpu');
  // The fixture is one row of a matrix: a vector would not decay.
  const matrix = (row: number[]): { weight: tf.Tensor } => ({ weight: tf.tensor2d([row]) });
  let parameters = matrix(start);
  let state: AdamWState<typeof parameters> = {
    expAvg: matrix([0, 0, 0]),
    expAvgSq: matrix([0, 0, 0]),
    step: { weight: tf.scalar(0) },
  };
  for (const [step, gradient] of gradients.entries()) {
    ({ parameters, state } = adamW(parameters, matrix(gradient), state, tf.scalar(rates[step]), { weightDecay }));
    const values = Array.from(parameters.weight.dataSync());
    for (const [index, value] of values.entries()) assert.ok(Math.abs(value - after[step][index]) < tolerance);
  }
});

test('vectors and embeddings do not decay, matrices and filters do', () => {
  const moves = (path: string, ...shape: number[]) => decays(path, { shape });
  assert.ok(!moves('heads/0/bias', 3) && !moves('weights/norm/scale', 8) && !moves('weights/blocks/0/layerScale', 8));
  assert.ok(!moves('weights/embedding/classToken', 1, 1, 8) && !moves('weights/embedding/position', 1, 5, 8));
  assert.ok(moves('weights/blocks/0/query/weight', 8, 8) && moves('weights/blocks/0/depthwise/filter', 7, 7, 8, 1));
  assert.ok(moves('updates/0/3/attention/down', 3, 8, 2) && moves('layers/0/up', 2, 8));
});

test('the first step of torch.optim.AdamW: rate times g / (|g| + 1e-8)', () => {
  tf.setBackend('cpu');
  // Both averages are corrected to g and g^2, so that a gradient as small as epsilon moves half as far as a large one.
  for (const gradient of [1e-8, -3e-8, 1]) {
    const zero = { bias: tf.zeros([1]) };
    const state = { expAvg: zero, expAvgSq: zero, step: { bias: tf.scalar(0) } };
    const options = { weightDecay: 0 };
    const { parameters } = adamW(zero, { bias: tf.tensor1d([gradient]) }, state, tf.scalar(1), options);
    const expected = -gradient / (Math.abs(gradient) + 1e-8);
    const [moved] = parameters.bias.dataSync();
    assert.ok(Math.abs(moved! - expected) < 1e-3, `${moved}, expected ${expected}`);
  }
});
