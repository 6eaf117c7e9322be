/** AdamW against torch.optim.AdamW (fixture: test/fixtures/make-adamw.py). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { float32 } from '../../src/shared/arrays.js';
import { adamW, decays, zeroMoments } from '../../src/training/optimizer.js';
import { fixture } from '../fixture.js';

// 1 - 0.999^n keeps four digits in float32, PyTorch computes it in double: 3e-5 of a step of 0.1.
const tolerance = 1e-5;

test('three steps equal PyTorch, with decoupled decay on a matrix', async () => {
  const { start, gradients, rates, weightDecay, after } = JSON.parse(await readFile(fixture('adamw.json'), 'utf8'));
  tf.setBackend('cpu');
  const zero = zeroMoments({ weight: float32([3]) });
  const tensors = (named: typeof zero.first) =>
    Object.fromEntries(Object.entries(named).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]));
  let parameters: Record<string, tf.Tensor> = { weight: tf.tensor(start) };
  let moments = { first: tensors(zero.first), second: tensors(zero.second), updates: tensors(zero.updates) } as never;
  for (const [step, gradient] of gradients.entries()) {
    const next = adamW(parameters, { weight: tf.tensor(gradient) }, moments, tf.scalar(rates[step]), { weightDecay });
    parameters = next.parameters;
    moments = next.moments as never;
    const values = Array.from(parameters['weight']!.dataSync());
    for (const [index, value] of values.entries()) assert.ok(Math.abs(value - after[step][index]) < tolerance);
  }
});

test('vectors and tokens do not decay, matrices and filters do', () => {
  const free = ['head/bias', 'norm/scale', 'norm/offset', 'blocks/0/layerScale', 'embedding/position'];
  assert.deepEqual(free.filter(decays), []);
  assert.ok(['blocks/0/query/weight', 'blocks/0/depthwise/filter'].every(decays));
});
