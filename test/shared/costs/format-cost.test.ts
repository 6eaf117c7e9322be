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

test('a larger unit begins where three digits of the smaller one would be 1000', () => {
  assert.equal(formatCost('flops', 999_499_999), '999 MFLOPs');
  assert.equal(formatCost('flops', 999_500_000), '1 GFLOPs');
  assert.equal(formatCost('params', 999_499), '999 K params');
  assert.equal(formatCost('latency', 999.4), '999 ms');
  assert.equal(formatCost('latency', 2500), '2.5 s');
  assert.equal(formatCost('size', 3.65e9), '3.65 GB');
  assert.equal(formatCost('params', 13_015_864_320), '13 B params');
  assert.equal(formatCost('flops', 1.5e12), '1.5 TFLOPs');
  // Beyond the largest unit no digit is lost, up to six.
  assert.equal(formatCost('size', 1_234_567e9), '1234570 GB');
});
