/** Products in float64 against exact fractions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMatrixProduct } from '../../../../src/engine/onnx/float64/matrix-product.js';

test('a square matrix times another one, and its transpose, with the digits of float64', async () => {
  const products = await openMatrixProduct(1);
  const left = Float64Array.of(1, 2, 0, 1 + 2 ** -40);
  const right = Float64Array.of(1, 2, 3, 4, 5, 6);
  const below = (row: number[]) => row.map((value) => value * (1 + 2 ** -40));
  assert.deepEqual([...(await products.multiply(left, right, 2))], [9, 12, 15, ...below([4, 5, 6])]);
  const turned = [4, 5, 6].map((value, column) => 2 * right[column]! + value * (1 + 2 ** -40));
  assert.deepEqual([...(await products.multiply(left, right, 2, true))], [1, 2, 3, ...turned]);
  await products.dispose();
});
