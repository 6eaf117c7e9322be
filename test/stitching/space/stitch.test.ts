import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  blocksOnPath,
  firstAnchor,
  isAnchor,
  lastAnchor,
  type Stitch,
  stitchLabel,
} from '../../../src/stitching/space/stitch.js';

const alone: Stitch = { id: 1, path: [{ anchor: 1, blocks: [0, 12] }] };
const crossing: Stitch = {
  id: 40,
  path: [
    { anchor: 1, blocks: [0, 4] },
    { anchor: 2, blocks: [4, 12] },
  ],
  stitchingLayer: 14,
};

test('a stitch begins in one anchor and ends in another', () => {
  assert.deepEqual([alone, crossing].map(firstAnchor), [1, 1]);
  assert.deepEqual([alone, crossing].map(lastAnchor), [1, 2]);
  assert.deepEqual([alone, crossing].map(isAnchor), [true, false]);
});

test('its label shows the path, blocks half-open', () => {
  assert.equal(stitchLabel(alone, ['Ti', 'S', 'B']), 'S[0-12]');
  assert.equal(stitchLabel(crossing, ['Ti', 'S', 'B']), 'S[0-4] -> B[4-12]');
});

test('its blocks come one after the other; the first one behind the stitching layer is marked', () => {
  const short: Stitch = {
    id: 4,
    path: [
      { anchor: 0, blocks: [0, 2] },
      { anchor: 1, blocks: [3, 5] },
    ],
    stitchingLayer: 0,
  };
  assert.deepEqual(blocksOnPath(short), [
    { anchor: 0, block: 0, isBehindLayer: false },
    { anchor: 0, block: 1, isBehindLayer: false },
    { anchor: 1, block: 3, isBehindLayer: true },
    { anchor: 1, block: 4, isBehindLayer: false },
  ]);
});
