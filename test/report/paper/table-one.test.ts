/** Table I against our cost functions: which stitch each entry is, and that the deployment rule explains the rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableOneReference, tableOneRow } from '../../../src/report/paper/table-one.js';
import { flopsBins, gridBetween } from '../../../src/stitching/space/flops-bins.js';
import { tableOneCosts, tableOneFlops } from '../../stitching/space/deit.js';

const fgvc = ['stanford-cars', 'cub-200-2011', 'stanford-dogs', 'nabirds'];
/** Printed with two decimals; 1e-9 G for the binary fractions. */
const rounding = 0.005 + 1e-9;

function matching(gigaflops: number, flops: readonly number[]): number[] {
  return [...flops.keys()].filter((id) => Math.abs(flops[id]! / 1e9 - gigaflops) <= rounding);
}

test('six rows of 15 entries, by rising FLOPs', () => {
  for (const dataset of [...fgvc, 'vtab-1k', 'cifar-100']) {
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

/** The accuracies of Table I as its page prints them, read from the text of the supplement. */
const printed: Readonly<Record<string, string>> = {
  'stanford-cars': '82.00 84.37 85.25 84.87 85.40 86.11 86.22 86.83 86.99 86.15 87.58 87.68 87.90 87.28 87.20',
  'cub-200-2011': '81.29 82.86 83.62 85.54 84.36 85.43 86.05 86.71 86.88 88.06 87.76 88.44 88.16 87.88 88.47',
  'stanford-dogs': '76.17 78.72 79.98 81.83 81.18 82.19 82.95 83.61 85.02 87.65 87.73 88.51 88.64 88.47 89.13',
  nabirds: '77.23 78.28 79.15 81.71 80.79 81.85 83.22 83.65 84.09 84.44 84.20 85.12 85.19 85.14 85.06',
  'vtab-1k': '67.25 69.56 71.61 71.24 73.11 73.19 73.32 73.08 73.19 73.43 74.13 74.27 74.7 74.83 75.10',
  'cifar-100': '86.60 88.65 90.92 90.91 90.72 91.18 90.93 91.03 91.56 91.33 92.15 92.12 92.59 92.55 93.08',
};

test('accuracies are the printed ones; of VTAB-1k the FLOPs too, which no stitch explains', () => {
  for (const [dataset, line] of Object.entries(printed)) {
    const accuracies = tableOneRow(dataset)!.map(({ accuracy }) => accuracy);
    assert.deepEqual(accuracies, line.split(' ').map(Number), dataset);
  }
  const vtab = '2.02 3.03 4.26 4.53 5.85 7.20 8.57 9.69 10.76 11.98 13.10 14.12 15.63 16.59 17.57';
  assert.deepEqual(
    tableOneRow('vtab-1k')!.map(({ gigaflops, stitch }) => [gigaflops, stitch]),
    vtab.split(' ').map((flops) => [Number(flops), undefined]),
  );
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
