import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployedStitches } from '../../src/stitching/deployment.js';
import { initialImportance } from '../../src/stitching/importance.js';
import { flopsBins } from '../../src/stitching/space/flops-bins.js';

/** Bins [0, 4, 3], [], [], [1] and the largest anchor 2. */
const bins = flopsBins([10, 40, 100, 12, 11], 2, { count: 4 });
const scores = (...values: (number | null)[]) => ({ ...initialImportance(5), scores: values });

test('the top stitch of each bin is deployed, and the largest anchor', () => {
  assert.deepEqual(deployedStitches(bins, scores(1, 0, 0, 2, 3)), [{ id: 4, bin: 0 }, { id: 1, bin: 3 }, { id: 2 }]);
});

test('stitches that were never trained rank last, even behind a score of 0', () => {
  assert.equal(deployedStitches(bins, scores(null, null, null, 0, null))[0]!.id, 3);
  assert.equal(deployedStitches(bins, scores(null, null, null, null, null))[0]!.id, 0);
});

test('of equal stitches the cheaper is deployed', () => {
  assert.equal(deployedStitches(bins, scores(1, 0, 0, 2, 2))[0]!.id, 4);
});
