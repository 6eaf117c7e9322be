import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resamplePositions } from '../../../src/models/vit/position-embedding.js';
import { float32 } from '../../../src/shared/arrays.js';

/** Width 1, the class token 9, then the grid. */
const grid = (values: readonly number[]) => float32([1, 1 + values.length, 1], Float32Array.of(9, ...values));

test('a constant stays constant, the class token stays as it is', () => {
  for (const resampling of ['bicubic', 'bilinear'] as const) {
    for (const to of [1, 2, 5]) {
      const { shape, data } = resamplePositions(grid(new Array<number>(9).fill(0.5)), 3, to, resampling);
      assert.deepEqual(shape, [1, 1 + to * to, 1]);
      assert.deepEqual(
        [...data].map((value) => Math.round(value * 1e6) / 1e6),
        [9, ...new Array<number>(to * to).fill(0.5)],
      );
    }
  }
});

test('bilinear samples lie between the centres of pixels', () => {
  // 2 -> 4: old centres at 0.5 and 1.5, new ones at 0.25, 0.75, 1.25, 1.75; the borders repeat.
  const { data } = resamplePositions(grid([0, 1, 0, 1]), 2, 4, 'bilinear');
  assert.deepEqual([...data.subarray(1, 5)], [0, 0.25, 0.75, 1]);
});
