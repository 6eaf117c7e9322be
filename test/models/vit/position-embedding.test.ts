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

test('bicubic weights are those of Keys, stretched where the grid shrinks', () => {
  // |x|: 0.25, 0.75 -> 1.5 |x|^3 - 2.5 |x|^2 + 1; 1.25 -> -0.5 |x|^3 + 2.5 |x|^2 - 4 |x| + 2
  const [near, far, behind] = [0.8671875, 0.2265625, -0.0703125];
  const first = [1, 0, 0, 0];
  const second = [0, 1, 0, 0];
  const rowOf = (row: readonly number[], to: number) => {
    const { data } = resamplePositions(grid([...row, ...row, ...row, ...row]), 4, to, 'bicubic');
    return data.subarray(1, 1 + to);
  };
  const assertNear = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-6);
  // 4 -> 8: new centres 1.25 (index 2; old ones at 0.5, 1.5, 2.5, none at -0.5) and 1.75 (index 3; 0.5 to 3.5)
  assertNear(rowOf(first, 8)[2]!, far / (far + near + behind));
  assertNear(rowOf(second, 8)[2]!, near / (far + near + behind));
  assertNear(rowOf(first, 8)[3]!, behind);
  assertNear(rowOf(second, 8)[3]!, near);
  // 4 -> 2: a new centre at 1, old ones -0.5, 0.5, 1.5 and 2.5 from it, in filters twice as wide
  const total = near + near + far + behind;
  assertNear(rowOf(first, 2)[0]!, near / total);
  assertNear(rowOf([0, 0, 1, 0], 2)[0]!, far / total);
  assertNear(rowOf([0, 0, 0, 1], 2)[0]!, behind / total);
});
