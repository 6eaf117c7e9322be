/** Table I against our cost functions: which stitch each entry is, and that the deployment rule explains the rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  tableOneCosts,
  tableOneDatasets,
  tableOneReference,
  tableOneRow,
} from '../../../src/report/paper/table-one.js';
import { flopsBins, gridBetween } from '../../../src/stitching/space/flops-bins.js';
import { tableOneFlops } from '../../stitching/space/deit.js';

const fgvc = ['stanford-cars', 'cub-200-2011', 'stanford-dogs', 'nabirds'];
/** Printed with two decimals; 1e-9 G for the binary fractions. */
const rounding = 0.005 + 1e-9;

function matching(gigaflops: number, flops: readonly number[]): number[] {
  return [...flops.keys()].filter((id) => Math.abs(flops[id]! / 1e9 - gigaflops) <= rounding);
}

test('six rows of 15 entries, by rising FLOPs', () => {
  assert.deepEqual(tableOneDatasets, [...fgvc, 'vtab-1k', 'cifar-100']);
  for (const dataset of tableOneDatasets) {
    const gigaflops = tableOneRow(dataset)!.map((entry) => entry.gigaflops);
    assert.equal(gigaflops.length, 15);
    assert.deepEqual(
      gigaflops,
      [...gigaflops].sort((a, b) => a - b),
    );
  }
  assert.equal(tableOneReference.row('oxford-flowers-102'), undefined);
  assert.equal(tableOneReference.row('toString'), undefined);
});

test('each of the 60 FGVC entries has the FLOPs of exactly one stitch', () => {
  const flops = tableOneFlops(tableOneCosts.fgvc);
  const entries = fgvc.flatMap((dataset) => tableOneRow(dataset)!);
  assert.equal(entries.length, 60);
  for (const { gigaflops, stitch } of entries) assert.deepEqual(matching(gigaflops, flops), [stitch]);
});

test('with the classes of each data set only one entry misses its rounding, by less than 0.0001 G', () => {
  const classes = [196, 200, 120, 555];
  const misses = fgvc.flatMap((dataset, index) => {
    const flops = tableOneFlops({ ...tableOneCosts.fgvc, classes: classes[index]! });
    return tableOneRow(dataset)!.filter(({ gigaflops, stitch }) => !matching(gigaflops, flops).includes(stitch!));
  });
  assert.deepEqual(
    misses.map(({ stitch }) => stitch),
    [38],
  );
});

test('each CIFAR-100 entry but one has the FLOPs of exactly one stitch', () => {
  const flops = tableOneFlops(tableOneCosts.cifar100);
  const row = tableOneRow('cifar-100')!;
  const misses = row.filter(({ gigaflops }) => matching(gigaflops, flops).length !== 1);
  assert.deepEqual(
    misses.map(({ gigaflops }) => gigaflops),
    [4.37],
  );
  for (const entry of row.filter((other) => !misses.includes(other))) {
    assert.deepEqual(matching(entry.gigaflops, flops), [entry.stitch]);
  }
  assert.ok(Math.abs(flops[4]! / 1e9 - 4.37) < 0.01);
});

test('every FGVC row has one stitch in each of 14 bins, whose low edges go evenly from stitch 31 to 42, and the largest anchor', () => {
  const flops = tableOneFlops(tableOneCosts.fgvc);
  const { bins } = flopsBins(flops, 2, { count: 14, grid: gridBetween(flops, [31, 42], 14) });
  for (const dataset of fgvc) {
    const row = tableOneRow(dataset)!.map(({ stitch }) => stitch!);
    assert.equal(row.at(-1), 2);
    for (const ids of bins) assert.equal(row.filter((id) => ids.includes(id)).length, 1);
  }
});
