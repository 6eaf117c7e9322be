import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../../../src/shared/errors.js';
import { binOf, flopsBins, gridBetween } from '../../../src/stitching/space/flops-bins.js';
import { tableOneCosts, tableOneFlops } from './deit.js';

test('bins are of equal width between the cheapest and the dearest stitch below the largest anchor', () => {
  const flops = tableOneFlops(tableOneCosts.fgvc);
  const { lowest, width, bins } = flopsBins(flops, 2);
  assert.equal(bins.length, 14);
  assert.equal(lowest, flops[0]);
  assert.equal(lowest + 14 * width, flops[42]);
  for (const [bin, ids] of bins.entries()) {
    for (const id of ids) {
      assert.ok(flops[id]! >= lowest + bin * width - 1 && flops[id]! <= lowest + (bin + 1) * width + 1);
    }
  }
});

test('every stitch is in one bin, but for the largest anchor and what costs more', () => {
  const flops = tableOneFlops(tableOneCosts.fgvc);
  const space = flopsBins(flops, 2);
  const outside = [...flops.keys()].filter((id) => binOf(space, id) === undefined);
  assert.deepEqual(outside, [2, 37, 39]);
  assert.equal(space.bins.flat().length, 68);
  assert.equal(new Set(space.bins.flat()).size, 68);
});

test('ids of a bin rise in FLOPs; bins of small spaces may be empty', () => {
  const { bins } = flopsBins([10, 40, 100, 12, 11], 2, { count: 4 });
  assert.deepEqual(bins, [[0, 4, 3], [], [], [1]]);
});

test('stitches of one price share a bin; a space of one anchor has none to share', () => {
  assert.deepEqual(flopsBins([5, 5, 9], 2, { count: 3 }).bins, [[0, 1], [], []]);
  assert.deepEqual(flopsBins([9], 0, { count: 2 }).bins, [[], []]);
});

test('a given grid is open below and above', () => {
  const { bins } = flopsBins([1, 10, 15, 20, 39, 50], 5, { count: 2, grid: { lowest: 10, width: 10 } });
  assert.deepEqual(bins, [
    [0, 1, 2],
    [3, 4],
  ]);
});

test('a grid between two stitches has them at the low edges of the first and the last bin', () => {
  const flops = [1, 10, 15, 20, 40, 50];
  const { bins } = flopsBins(flops, 5, { count: 4, grid: gridBetween(flops, [1, 4], 4) });
  assert.deepEqual(bins, [[0, 1, 2], [3], [], [4]]);
  const close = (count: number, width: number) => {
    const grid = gridBetween(flops, [1, 4], count);
    assert.ok(grid.lowest === 10 && grid.width <= width && grid.width > width - 1e-9, `${grid.width}`);
  };
  close(4, 10);
  close(2, 30);
  assert.throws(() => gridBetween([1, 5, 5, 9], [1, 2], 4), RequestError, 'of one price');
  assert.throws(() => gridBetween(flops, [6, 1], 4), RequestError);
  assert.throws(() => gridBetween(flops, [1, 6], 4), /by id from 0 to 5.*received 1, 6/);
  assert.throws(() => gridBetween(flops, [4, 1], 4), RequestError);
  assert.throws(() => gridBetween(flops, [1, 4], 1), RequestError);
});

test('what costs exactly as much as the largest anchor is in the last bin', () => {
  assert.deepEqual(flopsBins([1, 9, 9], 2, { count: 2 }).bins, [[0], [1]]);
});

test('one bin holds all; a count below 1 is refused', () => {
  assert.deepEqual(flopsBins([3, 1, 9], 2, { count: 1 }).bins, [[1, 0]]);
  assert.throws(() => flopsBins([1, 2], 1, { count: 0 }), RequestError);
  assert.throws(() => flopsBins([1, 2], 1, { count: 1.5 }), RequestError);
});
