import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { selfCheck } from '../../../src/engine/doctor/self-check.js';
import type { Value } from '../../../src/engine/engine.js';
import { createTensorFlowEngine } from '../../../src/engine/tensorflow/engine.js';
import { float32, int32 } from '../../../src/shared/arrays.js';
import { whereInstalled } from './installed.js';

type Inputs = { first: tf.Tensor };
const pair = Float32Array.of(1, 2);

test('says which device it uses, and gives back what was put', whereInstalled, async () => {
  const engine = await createTensorFlowEngine();
  assert.match(engine.device, /^(cpu|gpu)\b.*, TensorFlow \d+\.\d+/);
  for (const array of [float32([2, 1], pair), int32([], Int32Array.of(7))]) {
    const value = engine.put(array);
    assert.deepEqual(await engine.get(value), array);
    engine.free(value);
  }
});

test('computes and differentiates right, and leaves no tensor behind', whereInstalled, async () => {
  const engine = await createTensorFlowEngine();
  const before = tf.memory().numTensors;
  assert.equal(await selfCheck(engine), 0);
  assert.equal(tf.memory().numTensors, before);
});

test('a failing function leaves no tensor behind', whereInstalled, async () => {
  const engine = await createTensorFlowEngine();
  const value = engine.put(float32([2], pair));
  const before = tf.memory().numTensors;
  const failing = engine.compile('failing', ({ first }: Inputs) => {
    first.square();
    throw new Error('as intended');
  });
  await assert.rejects(failing({ first: value }), /as intended/);
  assert.equal(tf.memory().numTensors, before);
  engine.free(value);
});

test('inputs that are returned, and results returned twice, are freed separately', whereInstalled, async () => {
  const engine = await createTensorFlowEngine();
  const before = tf.memory();
  const input = engine.put(float32([2], pair));
  const same = engine.compile('same', ({ first }: Inputs) => ({ first, second: first }));
  const results = await same({ first: input });
  engine.free(input);
  engine.free(results.first);
  assert.deepEqual((await engine.get(results.second)).data, pair);
  engine.free(results.second);
  assert.deepEqual([tf.memory().numTensors, tf.memory().numDataBuffers], [before.numTensors, before.numDataBuffers]);
});

test('values of another engine and results that are no numbers are refused', whereInstalled, async () => {
  const engine = await createTensorFlowEngine();
  const foreign: Value = { shape: [], dtype: 'float32', storage: {} };
  await assert.rejects(engine.get(foreign), /a value of another engine/);
  const comparison = engine.compile('comparison', ({ first }: Inputs) => first.greater(1));
  const value = engine.put(float32([2], pair));
  await assert.rejects(comparison({ first: value }), /returned a bool tensor: cast it/);
  engine.free(value);
});
