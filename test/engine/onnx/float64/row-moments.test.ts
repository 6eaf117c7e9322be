/** Sums in float64 against sums of exact fractions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRowMoments, type RowSums } from '../../../../src/engine/onnx/float64/row-moments.js';
import { float32 } from '../../../../src/shared/arrays.js';

const matrix = (shape: readonly number[], ...data: number[]) => float32(shape, Float32Array.from(data));
const sumsOf = (from: number, ...widths: number[]): RowSums => ({
  inputs: { sum: new Float64Array(from), gram: new Float64Array(from ** 2) },
  targets: widths.map((width) => ({
    sum: new Float64Array(width),
    cross: new Float64Array(from * width),
    squares: new Float64Array(1),
  })),
});
const plain = ({ inputs, targets }: RowSums) => [
  [...inputs.sum],
  [...inputs.gram],
  ...targets.map(({ sum, cross, squares }) => [[...sum], [...cross], [...squares]]),
];

test('rows are added to the sums of inputs and of targets, whatever their number', async () => {
  const moments = openRowMoments(1);
  const x = matrix([3, 2], 1, 2, 3, 4, 5, 6);
  const y = matrix([3, 1], 1, 0.5, -1);
  const first = await moments.add(sumsOf(2, 1), x, [[y]]);
  assert.deepEqual(plain(first), [
    [9, 12],
    [35, 44, 44, 56],
    [[0.5], [-2.5, -2], [2.25]],
  ]);
  const second = await moments.add(first, matrix([1, 2], 7, 8), [[matrix([1, 1], 2)]]);
  assert.deepEqual(plain(second), [
    [16, 20],
    [84, 100, 100, 120],
    [[2.5], [11.5, 14], [6.25]],
  ]);
  await moments.dispose();
});

test('a target is the mean of its matrices, and targets have widths of their own', async () => {
  const moments = openRowMoments(1);
  const sums = await moments.add(sumsOf(1, 2, 1), matrix([2, 1], 1, 2), [
    [matrix([2, 2], 1, 2, 3, 4), matrix([2, 2], 3, 6, 5, 8), matrix([2, 2], 2, 1, 1, 0)],
    [matrix([2, 1], 10, 20)],
  ]);
  // Means of the three: 2, 3 and 3, 4.
  assert.deepEqual(plain(sums), [[3], [5], [[5, 7], [8, 11], [38]], [[30], [50], [500]]]);
  await moments.dispose();
});

test('the sums have the digits of float64', async () => {
  const moments = openRowMoments(1);
  // 2^24 + 1 and (1 + 2^-12)^2 need more than the 24 bits of float32.
  const one = matrix([2, 1], 2 ** 12, 1);
  const large = await moments.add(sumsOf(1, 1), one, [[one]]);
  assert.deepEqual(plain(large), [[4097], [2 ** 24 + 1], [[4097], [2 ** 24 + 1], [2 ** 24 + 1]]]);
  const small = matrix([1, 1], 1 + 2 ** -12);
  assert.deepEqual([...(await moments.add(sumsOf(1), small, [])).inputs.gram], [1 + 2 ** -11 + 2 ** -24]);
  await moments.dispose();
});
