/** Spaces of networks in stages. The counts and pairs are those of SN-Net's rules for Swin, worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stagesOf } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { RequestError } from '../../../src/shared/errors.js';
import { buildStagedSpace } from '../../../src/stitching/space/staged-space.js';
import { isAnchor } from '../../../src/stitching/space/stitch.js';
import { largestAnchor } from '../../../src/stitching/space/stitch-space.js';

const anchor = (name: string, depths: readonly number[], widths: readonly number[]) => ({
  name,
  stages: depths.map((depth, stage) => ({ depth, width: widths[stage]! })),
});
const sizes = ['tiny', 'small', 'base'];
const architectures = sizes.map((size) => architectureNamed(`convnext_${size}`));
const convNeXts = architectures.map((architecture, index) => ({ name: sizes[index]!, stages: stagesOf(architecture) }));
const space = buildStagedSpace(convNeXts);

test('ConvNeXt-T/S/B have 63 stitches: the anchors, then 30 for each pair', () => {
  assert.equal(space.stitches.length, 63);
  assert.ok(space.stitches.every((stitch) => isAnchor(stitch) === stitch.id < 3));
  assert.ok(space.stitches.every(({ id }, index) => id === index));
  const anchorsOf = ({ path }: (typeof space.stitches)[number]) => path.map(({ anchor }) => anchor);
  assert.ok(space.stitches.slice(3, 33).every((stitch) => String(anchorsOf(stitch)) === '0,1'));
  assert.ok(space.stitches.slice(33).every((stitch) => String(anchorsOf(stitch)) === '1,2'));
  assert.equal(largestAnchor(space), 2);
  // T has 3 + 3 + 9 + 3 blocks, S and B 3 + 3 + 27 + 3: every stitch goes on to the last.
  const ends = space.stitches.map(({ path }) => [path.at(-1)!.anchor, path.at(-1)!.blocks[1]]);
  for (const [anchor, end] of ends) assert.equal(end, anchor === 0 ? 18 : 36);
});

test('no stitch enters a network at the first block of a stage, whose downsampling it would train in vain', () => {
  const spaces = [
    space,
    buildStagedSpace([anchor('a', [1, 2, 1, 1], [8, 16, 32, 64]), anchor('b', [3, 2, 5, 2], [16, 32, 64, 128])]),
    buildStagedSpace([anchor('a', [2, 2, 2, 2], [8, 16, 32, 64]), anchor('b', [2, 2, 2, 2], [16, 32, 64, 128])], {
      kernel: 3,
    }),
  ];
  const depths = [
    [[], [3, 3, 27], [3, 3, 27]],
    [[], [3, 2, 5]],
    [[], [2, 2, 2]],
  ];
  for (const [index, { stitches }] of spaces.entries()) {
    for (const { path } of stitches.filter((stitch) => !isAnchor(stitch))) {
      const { anchor, blocks } = path[1]!;
      const before = depths[index]![anchor]!;
      const starts = [0, 1, 2, 3].map((stage) => before.slice(0, stage).reduce((sum, depth) => sum + depth, 0));
      assert.ok(!starts.includes(blocks[0]), `${index}: ${anchor} at ${blocks[0]}`);
    }
  }
});

test('their stitching layers are 2, 2 and 9 from T to S, 2, 2 and 26 from S to B', () => {
  const layers = (from: number) =>
    space.stitchingLayers
      .filter(({ fromAnchor }) => fromAnchor === from)
      .map(({ pairs }) => pairs.map(([front, end]) => `${front}>${end}`).join(' '));
  // The third stage has 9 blocks in T (6 to 14) and 27 in S (6 to 32); the first of S is never entered.
  const third = [
    '6>7 6>8',
    '7>9 7>10 7>11',
    '8>12 8>13 8>14',
    '9>15 9>16 9>17',
    '10>18 10>19 10>20',
    '11>21 11>22 11>23',
  ];
  const lastOfThird = ['12>24 12>25 12>26', '13>27 13>28 13>29', '14>30 14>31 14>32'];
  assert.deepEqual(layers(0), ['0>1', '1>2', '3>4', '4>5', ...third, ...lastOfThird]);
  const equalDepth = Array.from({ length: 26 }, (_, block) => `${6 + block}>${7 + block}`);
  assert.deepEqual(layers(1), ['0>1', '1>2', '3>4', '4>5', ...equalDepth]);
});

test('no stitch crosses a downsampling, and the last stage is left out', () => {
  for (const { fromAnchor, toAnchor, pairs } of space.stitchingLayers) {
    const [front, end] = [architectures[fromAnchor]!, architectures[toAnchor]!];
    const stages = new Set(pairs.flatMap(([j, k]) => [front.blocks[j]!.stage, end.blocks[k]!.stage]));
    assert.equal(stages.size, 1);
    assert.ok(!stages.has(3));
  }
});

test("Swin-Ti/S/B give SN-Net's 41 configurations", () => {
  const swin = buildStagedSpace([
    anchor('Ti', [2, 2, 6, 2], [96, 192, 384, 768]),
    anchor('S', [2, 2, 18, 2], [96, 192, 384, 768]),
    anchor('B', [2, 2, 18, 2], [128, 256, 512, 1024]),
  ]);
  assert.equal(swin.stitches.length, 41);
});

test('anchors that do not grow are refused with the reason', () => {
  const [tiny, small, base] = convNeXts;
  const refused = (message: RegExp, anchors: typeof convNeXts, rule = {}) =>
    assert.throws(
      () => buildStagedSpace(anchors, rule),
      (error) => error instanceof RequestError && message.test(`${error.message} ${error.hint}`),
    );
  refused(/at least 2 anchors, received 1 \(tiny\)/, [tiny!]);
  refused(/received small \(depths 3-3-27-3, widths 96-192-384-768\) before tiny/, [small!, tiny!]);
  refused(/received base .* before base/, [base!, base!]);
  refused(/received a .* before b/, [anchor('a', [2, 3], [8, 16]), anchor('b', [3, 2], [8, 16])]);
  refused(/received a .* before b/, [anchor('a', [2, 2], [8, 16]), anchor('b', [3, 2], [16, 8])]);
  refused(/received a .* before b/, [anchor('a', [2, 3], [8, 16]), anchor('b', [2, 2], [16, 32])]);
  refused(/received a .* before b/, [anchor('a', [1, 1], [8, 16]), anchor('b', [1, 1, 1], [8, 16, 32])]);
  refused(/stitching\.kernel.*received 0/, convNeXts, { kernel: 0 });
});

test('a stage of one block can be left nowhere: it has no stitching layer', () => {
  const { stitches, stitchingLayers } = buildStagedSpace([
    anchor('a', [1, 2, 1], [8, 16, 32]),
    anchor('b', [1, 2, 1], [16, 32, 64]),
  ]);
  assert.deepEqual(
    stitchingLayers.map(({ pairs }) => pairs),
    [[[1, 2]]],
  );
  assert.equal(stitches.length, 3);
});
