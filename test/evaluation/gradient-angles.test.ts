import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairwiseAngles } from '../../src/evaluation/gradient-angles.js';

const gradients = (values: Readonly<Record<string, readonly number[]>>) =>
  Object.fromEntries(Object.entries(values).map(([name, data]) => [name, Float32Array.from(data)]));

/** Angles rounded to what float32 gradients allow. */
const anglesOf = (...all: readonly Readonly<Record<string, readonly number[]>>[]) =>
  pairwiseAngles(all.map(gradients)).map((angle) => Number(angle.toFixed(4)));

test('known vectors have known angles, pair by pair', () => {
  assert.deepEqual(anglesOf({ a: [1, 0] }, { a: [0, 2] }, { a: [-3, 0] }, { a: [1, 1] }), [90, 180, 45, 90, 45, 135]);
  // arccos(1 / 2) of (1, 1, 0) and (0, 1, 1); equal vectors whose cosine rounds above 1
  assert.deepEqual(anglesOf({ a: [1, 1, 0] }, { a: [0, 1, 1] }), [60]);
  assert.deepEqual(anglesOf({ a: [0.1, 0.2, 0.3] }, { a: [0.1, 0.2, 0.3] }), [0]);
});

test('only tensors that both stitches have count, and these together', () => {
  // (1, 0, 1) and (0, 1, 1): 60 degrees; what only one of them has would change it.
  assert.deepEqual(anglesOf({ a: [1, 0], b: [1], own: [100] }, { b: [1], a: [0, 1], other: [-7] }), [60]);
});

test('pairs without a common tensor, or with a zero gradient, have no angle', () => {
  assert.deepEqual(anglesOf({ a: [1] }, { b: [1] }, { a: [0], b: [-2] }), [180]);
  assert.deepEqual(anglesOf({}, {}), []);
});
