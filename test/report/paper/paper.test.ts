import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PaperReference, paperAccuracy, paperMean } from '../../../src/report/paper/paper.js';
import type { ResultSegment } from '../../../src/run-folder/result.js';

const front: ResultSegment = { anchor: 'Ti', blocks: [0, 4] };
const end: ResultSegment = { anchor: 'S', blocks: [4, 12] };
const path = [front, end];
const rows: Readonly<Record<string, ReturnType<PaperReference['row']>>> = {
  cars: [{ gigaflops: 3, accuracy: 80, path }],
  // Entries without a network are means over tasks.
  vtab: [
    { gigaflops: 2, accuracy: 60 },
    { gigaflops: 4, accuracy: 70 },
    { gigaflops: 10, accuracy: 76 },
  ],
};
const reference: PaperReference = { anchors: ['Ti', 'S'], row: (dataset) => rows[dataset] };

test('between two entries the mean lies on their line; beyond the ends it is theirs, a hundredth far', () => {
  const meanAt = (gigaflops: number, anchors = ['Ti', 'S'], method = 'esta') =>
    paperMean(reference, { dataset: 'vtab', method }, gigaflops * 1e9, anchors);
  const wanted: readonly (readonly [gigaflops: number, mean: number | undefined])[] = [
    [1.97, undefined],
    [1.985, 60],
    [2, 60],
    [2.5, 62.5], // a quarter from 60 to 70
    [4, 70],
    [5, 71], // a sixth from 70 to 76
    [10.08, 76],
    [10.12, undefined],
  ];
  for (const [gigaflops, expected] of wanted) {
    const mean = meanAt(gigaflops);
    assert.ok(mean === expected || Math.abs(mean! - expected!) < 1e-9, `${gigaflops} G: ${mean}`);
  }
  assert.equal(meanAt(4, ['S']), 70);
  assert.deepEqual([meanAt(4, []), meanAt(4, ['S', 'mine']), meanAt(4, ['S'], 'sn-net')], Array(3).fill(undefined));
  assert.equal(paperMean(reference, { dataset: 'cars', method: 'esta' }, 3e9, ['S']), undefined, 'no mean over tasks');
});

test('an accuracy of the paper belongs to its network, data set and method', () => {
  const accuracyOf = (of: readonly ResultSegment[], method = 'esta', dataset = 'cars') =>
    paperAccuracy(reference, { dataset, method }, { path: of });
  for (const method of ['esta', 'ESTA', 'ESTA · runs/a']) assert.equal(accuracyOf(path, method), 80, method);
  const others: readonly (readonly ResultSegment[])[] = [
    [front],
    [front, { ...end, anchor: 'B' }],
    [front, { ...end, blocks: [3, 12] }],
    [{ ...front, blocks: [0, 5] }, end],
  ];
  for (const other of others) assert.equal(accuracyOf(other), undefined, JSON.stringify(other));
  for (const method of ['sn-net', 'ESTA, eta 0.8']) assert.equal(accuracyOf(path, method), undefined, method);
  assert.equal(accuracyOf(path, 'esta', 'vtab'), undefined);
});
