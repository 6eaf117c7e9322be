import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCost } from '../../../src/shared/costs/format-cost.js';

test('costs are printed with three digits in the largest unit that fits', () => {
  assert.equal(formatCost('latency', 4.237), '4.24 ms');
  assert.equal(formatCost('latency', 1500), '1.5 s');
  assert.equal(formatCost('latency', 0.05), '0.05 ms');
  assert.equal(formatCost('size', 802_144), '802 KB');
  assert.equal(formatCost('size', 20e6), '20 MB');
  assert.equal(formatCost('flops', 17_712_064), '17.7 MFLOPs');
  assert.equal(formatCost('flops', 999_900_000), '1 GFLOPs');
  assert.equal(formatCost('params', 201_036), '201 K params');
});
