import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetsOf, roundStep, sharedBudgets } from '../../../src/report/curves/budgets.js';
import { accuracyWithin, type Repetition } from '../../../src/report/curves/repetition.js';

/** Stitches of [FLOPs, accuracy], all deployed but those marked. */
function repetition(
  ...stitches: readonly (readonly [flops: number, accuracy: number, evaluated?: true])[]
): Repetition {
  return {
    ...{ dataset: 'd', method: 'm', seed: 0, trainable: undefined },
    stitches: stitches.map(([flops, accuracy, evaluated]) => ({
      ...{ flops, accuracy, bin: undefined, stitch: undefined, deployed: !evaluated },
    })),
  };
}

test('steps are 1, 2 or 5 times a power of ten, the first that is large enough', () => {
  const steps: readonly (readonly [size: number, step: number])[] = [
    [1, 1],
    [1.01, 2],
    [2, 2],
    [2.1, 5],
    [5, 5],
    [5.1, 10],
    [0.03, 0.05],
    [3.2e8, 5e8],
    [(0.1 + 0.2) / 3, 0.1], // 0.10000000000000002
  ];
  for (const [size, step] of steps) assert.ok(Math.abs(roundStep(size) / step - 1) < 1e-12, `${size}`);
});

test('budgets go in nine to eleven steps from the first that buys something to the first that buys all', () => {
  // (9 - 1.2) / 9 = 0.87, so in steps of 1; what is only evaluated buys nothing.
  const both = [repetition([1.2, 50], [0.1, 99, true], [20, 99, true]), repetition([9, 60])];
  assert.deepEqual(budgetsOf(both), [2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(budgetsOf([repetition([10, 50], [100, 60])]).length, 10, '10, 20 ... 100');
  assert.equal(budgetsOf([repetition([10, 50], [100.1, 60])]).length, 6, '90.1 / 9 is above 10: 20, 40 ... 120');
  assert.deepEqual(budgetsOf([repetition([3, 50])]), [5], 'of one stitch');
});

test('a budget buys the largest deployed stitch that it pays for, and is shared where it buys something in all', () => {
  const one = repetition([2, 70], [4, 60], [5, 99, true], [9, 80]);
  assert.deepEqual(
    [1.9, 2, 3.9, 4, 8.9, 9].map((budget) => accuracyWithin(one, budget)),
    [undefined, 70, 70, 60, 60, 80],
  );
  const both = [one, repetition([4.5, 50])];
  assert.deepEqual(budgetsOf(both), [2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(sharedBudgets(both), [5, 6, 7, 8, 9]);
});
