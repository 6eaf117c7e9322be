import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError, TrialError } from '../../src/shared/errors.js';
import { initialImportance, updateImportance } from '../../src/stitching/importance.js';

test('the first measurement is taken whole, later ones with momentum', () => {
  const start = initialImportance(3);
  const first = updateImportance(start, 1, 2);
  const second = updateImportance(first, 1, 4);
  assert.deepEqual(first.scores, [null, 2, null]);
  assert.ok(Math.abs(second.scores[1]! - (0.9 * 2 + 0.1 * 4)) < 1e-12);
  assert.deepEqual(start.scores, [null, null, null]);
});

test('eta 0 keeps the last measurement', () => {
  const scores = [3, 1, 5].reduce((state, saliency) => updateImportance(state, 0, saliency), initialImportance(1, 0));
  assert.deepEqual(scores.scores, [5]);
});

test('the state survives JSON', () => {
  const state = updateImportance(initialImportance(2, 0.8), 0, 0.1);
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
});

test('impossible momentum, saliency and stitch are refused', () => {
  for (const eta of [1, -0.1, Number.NaN]) assert.throws(() => initialImportance(2, eta), RequestError);
  assert.throws(() => updateImportance(initialImportance(2), 0, Number.NaN), TrialError);
  assert.throws(() => updateImportance(initialImportance(2), 2, 1), /stitch 2 is not one of the 2 of the space/);
});
