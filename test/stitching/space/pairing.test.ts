/** Block pairs against SN-Net's rules, worked out by hand or listed in its results. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairedBlocks, unpairedBlocks } from '../../../src/stitching/space/pairing.js';

test('depth 12, kernel 2, stride 1: 34 pairs in 11 windows', () => {
  const windows = pairedBlocks(12, 2, 1);
  assert.equal(windows.length, 11);
  assert.equal(windows.flat().length, 34);
  assert.deepEqual(windows[0], [[0, 0], [0, 1], [1, 0], [1, 1]]); // biome-ignore format: one window
  for (let w = 1; w < 11; w++) assert.deepEqual(windows[w], [[w, w + 1], [w + 1, w], [w + 1, w + 1]]); // biome-ignore format: one window
});

test('every pair of the windows comes once, for any kernel and stride', () => {
  for (const [depth, kernel, stride] of [
    [12, 3, 1],
    [12, 2, 2],
    [5, 4, 3],
    [4, 9, 1],
    [6, 1, 1],
    [5, 2, 3],
  ] as const) {
    // biome-ignore format: a table
    const windows = pairedBlocks(depth, kernel, stride);
    const expected = new Set<string>();
    for (let start = 0; start < depth; start += stride) {
      const inside = (block: number) => block >= start && block < Math.min(start + kernel, depth);
      for (let j = 0; j < depth; j++)
        for (let k = 0; k < depth; k++) if (inside(j) && inside(k)) expected.add(`${j},${k}`);
    }
    assert.deepEqual(windows.flat().map(String).sort(), [...expected].sort());
    assert.ok(windows.every((pairs) => pairs.length > 0));
  }
});

test('unequal depth: block i of the end anchor follows block floor(i D0 / D1)', () => {
  const nineTo27 = unpairedBlocks(9, 27);
  assert.equal(nineTo27.length, 9);
  assert.equal(nineTo27.flat().length, 26);
  assert.equal(nineTo27.flat().join(' ').slice(0, 31), '0,1 0,2 1,3 1,4 1,5 2,6 2,7 2,8');
  const llama = unpairedBlocks(32, 40);
  assert.equal(llama.length, 32);
  assert.equal(llama.flat().length, 39);
  assert.equal(llama.flat().slice(0, 8).join(' '), '0,1 1,2 2,3 3,4 4,5 4,6 5,7 6,8');
  assert.equal(llama.flat().slice(-5).join(' '), '28,35 28,36 29,37 30,38 31,39');
  assert.ok(llama.every((pairs, layer) => pairs.every(([front]) => front === layer)));
});

test('a pair that cannot follow the first block gives no empty layer', () => {
  assert.deepEqual(unpairedBlocks(3, 3), [[[1, 1]], [[2, 2]]]);
});
