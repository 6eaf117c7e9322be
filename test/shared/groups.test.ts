import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunks, mean, quantile } from '../../src/shared/groups.js';

test('neighbours together, the last ones fewer', () => {
  assert.deepEqual(chunks([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(chunks([], 2), []);
});

test('a mean', () => assert.equal(mean([1, 2, 6]), 3));

test('quantiles are those of numpy', () => {
  // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0.5, 0.9, 0, 1])
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const expected = [3.5, 6.9, 1, 9];
  for (const [index, share] of [0.5, 0.9, 0, 1].entries()) {
    assert.ok(Math.abs(quantile(values, share) - expected[index]!) < 1e-12, `${share}`);
  }
  assert.equal(quantile([7], 0.9), 7);
});
