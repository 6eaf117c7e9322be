import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../../../src/shared/errors.js';
import { firstAnchor, isAnchor, lastAnchor } from '../../../src/stitching/space/stitch.js';
import { buildStitchSpace, largestAnchor } from '../../../src/stitching/space/stitch-space.js';
import { space } from './deit.js';

const shape = (name: string, width: number, depth = 12) => ({ name, width, depth });

test('ViT-Ti/S/B have 71 stitches in the order of SN-Net', () => {
  assert.equal(space.stitches.length, 71);
  assert.ok(space.stitches.every(({ id }, index) => id === index));
  assert.ok(space.stitches.every((stitch) => isAnchor(stitch) === stitch.id < 3));
  for (const stitch of space.stitches.slice(3)) {
    assert.deepEqual([firstAnchor(stitch), lastAnchor(stitch)], stitch.id <= 36 ? [0, 1] : [1, 2]);
  }
  assert.deepEqual(space.stitches[4], {
    id: 4,
    path: [
      { anchor: 0, blocks: [0, 1] },
      { anchor: 1, blocks: [1, 12] },
    ],
    stitchingLayer: 0,
  });
  assert.equal(largestAnchor(space), 2);
});

test('they share 22 stitching layers, 11 for each pair of anchors', () => {
  assert.equal(space.stitchingLayers.length, 22);
  for (const { index, fromAnchor, toAnchor, pairs } of space.stitchingLayers) {
    assert.deepEqual([fromAnchor, toAnchor], index < 11 ? [0, 1] : [1, 2]);
    assert.equal(pairs.length, index % 11 === 0 ? 4 : 3);
    const users = space.stitches.filter(({ stitchingLayer }) => stitchingLayer === index);
    assert.deepEqual(
      users.map(({ path }) => [path[0]!.blocks[1] - 1, path[1]!.blocks[0]]),
      pairs,
    );
  }
});

test('other numbers of anchors and other depths', () => {
  const two = buildStitchSpace([shape('a', 8, 4), shape('b', 16, 4)]);
  assert.equal(two.stitches.length, 2 + 4 + 3 + 3);
  const four = buildStitchSpace([8, 16, 32, 64].map((width) => shape(`w${width}`, width)));
  assert.equal(four.stitches.length, 4 + 3 * 34);
  assert.equal(four.stitchingLayers.length, 33);
  assert.equal(largestAnchor(four), 3);
  const strided = buildStitchSpace([shape('a', 8), shape('b', 16)], { stride: 2 });
  assert.equal(strided.stitches.length, 2 + 6 * 4);
});

test('LLaMA 7B and 13B by the unpaired rule: 39 stitches and 2 anchors', () => {
  const { stitches, stitchingLayers } = buildStitchSpace([shape('7B', 4096, 32), shape('13B', 5120, 40)], {
    pairing: 'unpaired',
  });
  assert.equal(buildStitchSpace([shape('a', 8, 4), shape('b', 16, 4)], { pairing: 'unpaired' }).stitches.length, 2 + 3);
  assert.equal(stitches.length, 41);
  assert.equal(stitchingLayers.length, 32);
  assert.deepEqual(stitches.at(-1)!.path, [
    { anchor: 0, blocks: [0, 32] },
    { anchor: 1, blocks: [39, 40] },
  ]);
});

test('anchors that cannot be stitched are refused with the reason', () => {
  const refused = (message: RegExp, ...parameters: Parameters<typeof buildStitchSpace>) =>
    assert.throws(
      () => buildStitchSpace(...parameters),
      (error) => error instanceof RequestError && message.test(`${error.message} ${error.hint}`),
    );
  refused(/at least 2 anchors, received 1 \(a\)/, [shape('a', 8)]);
  refused(/received b \(16\), a \(8\).*Order them a, b/, [shape('b', 16), shape('a', 8)]);
  refused(/cannot be told apart/, [shape('a', 8), shape('b', 8)]);
  refused(/equal depth, received a \(12\), b \(24\).*unpaired/, [shape('a', 8, 12), shape('b', 16, 24)]);
  refused(/do not fall/, [shape('a', 8, 24), shape('b', 16, 12)], { pairing: 'unpaired' });
  refused(/stitching\.kernel.*received 0/, [shape('a', 8), shape('b', 16)], { kernel: 0 });
  refused(/stitching\.stride.*received 1\.5/, [shape('a', 8), shape('b', 16)], { stride: 1.5 });
});
