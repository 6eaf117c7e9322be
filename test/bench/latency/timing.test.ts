import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantile } from '../../../src/bench/latency/timing.js';

test('quantiles are those of numpy', () => {
  // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0.5, 0.9, 0, 1])
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const expected = [3.5, 6.9, 1, 9];
  for (const [index, share] of [0.5, 0.9, 0, 1].entries()) {
    assert.ok(Math.abs(quantile(values, share) - expected[index]!) < 1e-12, `${share}`);
  }
  assert.equal(quantile([7], 0.9), 7);
});
