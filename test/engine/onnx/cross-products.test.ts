/** Products in float64 against sums of exact fractions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCrossProducts } from '../../../src/engine/onnx/cross-products.js';
import { float32 } from '../../../src/shared/arrays.js';

test('left transposed times right is added to the sum, whatever the number of rows', async () => {
  const products = await openCrossProducts(1);
  const left = float32([3, 2], Float32Array.from([1, 2, 3, 4, 5, 6]));
  const right = float32([3, 1], Float32Array.from([1, 0.5, -1]));
  // 1 + 1.5 - 5 and 2 + 2 - 6
  assert.deepEqual([...(await products.add(Float64Array.of(10, 20), left, right))], [7.5, 18]);
  const row = float32([1, 2], Float32Array.from([7, 8]));
  assert.deepEqual([...(await products.add(Float64Array.of(0, 0, 0, 1), row, row))], [49, 56, 56, 65]);
  await products.dispose();
});

test('the product has the digits of float64', async () => {
  const products = await openCrossProducts(1);
  // 2^24 + 1 and (1 + 2^-12)^2 need more than the 24 bits of float32.
  const one = float32([2, 1], Float32Array.from([2 ** 12, 1]));
  assert.deepEqual([...(await products.add(Float64Array.of(0), one, one))], [2 ** 24 + 1]);
  const small = float32([1, 1], Float32Array.of(1 + 2 ** -12));
  assert.deepEqual([...(await products.add(Float64Array.of(0), small, small))], [1 + 2 ** -11 + 2 ** -24]);
  await products.dispose();
});
