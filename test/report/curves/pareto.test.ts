import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areOnFront, misleadingPairs, reversedPairs, type Timed } from '../../../src/report/curves/pareto.js';

test('the front holds what nothing beats', () => {
  const points = [
    { cost: 1, accuracy: 60 },
    { cost: 2, accuracy: 70 },
    { cost: 3, accuracy: 65 }, // dearer and worse than the second
    { cost: 2, accuracy: 68 }, // as dear, and worse
    { cost: 4, accuracy: 70 }, // dearer, and no better
    { cost: 5, accuracy: 80 },
  ];
  assert.deepEqual(areOnFront(points), [true, true, false, false, false, true]);
  assert.deepEqual(areOnFront([points[0]!, points[0]!]), [true, true]);
});

test('FLOPs mislead where fewer of them take longer, beyond noise', () => {
  const a = { flops: 10, median: 2, p90: 2.1 };
  const b = { flops: 20, median: 6, p90: 6.2 };
  const c = { flops: 30, median: 4, p90: 4.3 };
  const d = { flops: 40, median: 3, p90: 3.1 };
  assert.deepEqual(misleadingPairs([a, b, c, d]), [
    { fewer: b, more: d },
    { fewer: b, more: c },
    { fewer: c, more: d },
  ]);
  assert.deepEqual(misleadingPairs([a, c]), []);
  const near = { flops: 15, median: 2.05, p90: 2.2 };
  const noisy = { flops: 25, median: 1.5, p90: 2.3 };
  assert.deepEqual(misleadingPairs([a, near]), []);
  assert.deepEqual(
    misleadingPairs([a, near, noisy]),
    [],
    '90 of 100 runs of one are not faster than half of the other',
  );
  assert.deepEqual(
    misleadingPairs([
      { ...near, median: 2.09 },
      { ...a, flops: 16, p90: undefined },
    ]),
    [],
    '4.5 % is noise',
  );
});

test('more than 5 % is no noise; where no 90th percentile was measured, the median is what is exceeded', () => {
  const cheap = { flops: 1, median: 1.06, p90: 1.07 };
  const dear = { flops: 2, median: 1, p90: 1.01 };
  const pair = (fewer: Timed, more: Timed) => misleadingPairs([fewer, more]).length;
  assert.equal(pair(cheap, dear), 1);
  assert.equal(pair({ ...cheap, median: 1.04 }, dear), 0);
  assert.equal(pair(cheap, { ...dear, p90: undefined }), 1);
  // Of as many FLOPs neither is the one with fewer; of one median neither takes longer.
  assert.equal(pair(cheap, { ...dear, flops: 1 }), 0);
  assert.deepEqual(reversedPairs([cheap, { ...dear, median: 1.06 }]), []);
});
