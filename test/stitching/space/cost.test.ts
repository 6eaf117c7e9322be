/** Costs of whole stitches against SN-Net's published list (fixture) and against counts by hand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Architecture, stagesOf } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import {
  type Adaptation,
  spaceTrainableParams,
  stitchFlops,
  stitchParams,
  trainableParams,
} from '../../../src/stitching/space/cost.js';
import { buildStagedSpace } from '../../../src/stitching/space/staged-space.js';
import { firstAnchor, isAnchor, lastAnchor } from '../../../src/stitching/space/stitch.js';
import { fixture } from '../../fixture.js';
import { anchors, space } from './deit.js';

const published = JSON.parse(readFileSync(fixture('stitching/sn-net-stitches.json'), 'utf8')) as {
  stitches: [flops: number, params: number][];
};
const snNet = { anchors, classes: 1000, adaptation: 'full' } as const;
const widths = [192, 384, 768];
const pst: Adaptation = { ranks: [32, 16, 8], stitchingLayerRank: 96, stitchBias: true };

test('anchors have the FLOPs and parameters that SN-Net publishes', () => {
  const alone = space.stitches.filter(isAnchor);
  assert.deepEqual(
    alone.map((stitch) => stitchFlops(stitch, snNet)),
    [1258411200, 4608338304, 17582740224],
  );
  assert.deepEqual(
    alone.map((stitch) => stitchParams(stitch, snNet).total),
    [5717416, 22050664, 86567656],
  );
});

test('so have all 71 stitches, up to the norm and the tokens that SN-Net forgets', () => {
  assert.equal(published.stitches.length, space.stitches.length);
  for (const [id, [flops, params]] of published.stitches.entries()) {
    const stitch = space.stitches[id]!;
    const [first, last] = [widths[firstAnchor(stitch)]!, widths[lastAnchor(stitch)]!];
    const norm = 5 * 197 * last;
    const classAndPosition = (1 + 197) * first;
    assert.equal(stitchFlops(stitch, snNet), flops + (isAnchor(stitch) ? 0 : norm), `FLOPs of stitch ${id}`);
    assert.equal(
      stitchParams(stitch, snNet).total,
      params + (isAnchor(stitch) ? 0 : classAndPosition),
      `parameters of stitch ${id}`,
    );
  }
});

test('trainable parameters of one stitch, counted by hand', () => {
  // Stitch 4: Ti[0-1] -> S[1-12], 10 classes.
  const trainable = trainableParams(space.stitches[4]!, { anchors, classes: 10, adaptation: pst });
  assert.deepEqual(trainable, {
    anchors: 0,
    lowRank: 3 * 2 * 192 * 32 + 11 * 3 * 2 * 384 * 16,
    stitchingLayers: (192 + 384) * 96,
    stitchBias: 3 * 192 + 11 * 3 * 384 + 384,
    heads: 384 * 10 + 10,
    total: 36864 + 405504 + 55296 + 13632 + 3850,
  });
});

test('in the whole space what is shared counts once and what a stitch owns counts for each', () => {
  const network = { anchors, classes: 10, adaptation: pst };
  const whole = spaceTrainableParams(space, network);
  assert.equal(whole.lowRank, 12 * 6 * (192 * 32 + 384 * 16 + 768 * 8));
  assert.equal(whole.stitchingLayers, 11 * 96 * (192 + 384 + 384 + 768));
  assert.equal(whole.heads, 10 * (192 + 384 + 768 + 3));
  const each = space.stitches.map((stitch) => trainableParams(stitch, network));
  assert.equal(
    whole.stitchBias,
    each.reduce((sum, { stitchBias }) => sum + stitchBias, 0),
  );

  const naive = spaceTrainableParams(space, { ...network, adaptation: { ...pst, stitchBias: false } });
  assert.equal(naive.total, whole.total - whole.stitchBias);

  const owned = spaceTrainableParams(space, {
    ...network,
    adaptation: { ...pst, stitchBias: false, ownLowRank: true },
  });
  assert.equal(owned.heads, whole.heads);
  assert.equal(
    owned.lowRank,
    each.reduce((sum, { lowRank }) => sum + lowRank, 0),
  );
  assert.equal(owned.stitchingLayers, 34 * 96 * (192 + 384 + 384 + 768));
});

test('full fine-tuning trains the anchors, the stitching layers and the heads', () => {
  const anchor = trainableParams(space.stitches[0]!, snNet);
  assert.equal(anchor.total, 5717416);
  const whole = spaceTrainableParams(space, snNet);
  const layers = 11 * (192 * 384 + 384 + 384 * 768 + 768);
  assert.equal(whole.total, 5717416 + 22050664 + 86567656 + layers);
});

test('FLOPs with low-rank updates, counted by hand', () => {
  // Stitch 4: Ti[0-1] -> S[1-12], 10 classes. A block: 12 N D^2 + 2 N^2 D + 10 N D, and 6 N D r of its updates.
  const tokens = 197;
  const block = (width: number, rank: number) =>
    12 * tokens * width ** 2 + 2 * tokens ** 2 * width + 10 * tokens * width + 6 * tokens * width * rank;
  const layer = tokens * 192 * 384 + tokens * (192 + 384) * 96;
  const expected = 196 * 768 * 192 + block(192, 32) + layer + 11 * block(384, 16) + 5 * tokens * 384 + 10 * 384;
  assert.equal(stitchFlops(space.stitches[4]!, { anchors, classes: 10, adaptation: pst }), expected);
});

test('networks in stages: what leads into a stage costs once for each that is passed', () => {
  const sizes = ['tiny', 'small', 'base'];
  const convNeXts = sizes.map((size) => architectureNamed(`convnext_${size}.fb_in22k`));
  const shapes = convNeXts.map((architecture, index) => ({ name: sizes[index]!, stages: stagesOf(architecture) }));
  const { stitches } = buildStagedSpace(shapes);
  const network = { anchors: convNeXts, classes: 1000, adaptation: 'full' } as const;
  // The anchors: FLOPs of timm's benchmark as fvcore counts them, parameters of timm's state dicts.
  assert.deepEqual(
    stitches.slice(0, 3).map((stitch) => [stitchFlops(stitch, network), stitchParams(stitch, network).total]),
    [
      [4_470_399_744, 28_589_128],
      [8_705_354_496, 50_223_688],
      [15_383_585_792, 88_591_464],
    ],
  );
  // T[0-7] -> S[7-36]: blocks 3 and 6 of T and block 33 of S begin a stage; 14 x 14 pixels of 384 channels are crossed.
  const [tiny, small] = convNeXts as [Architecture, Architecture];
  const stitch = stitches.find(({ path: [front, end] }) => front!.blocks[1] === 7 && end?.blocks[0] === 7)!;
  const costs = (of: 'flops' | 'params') => {
    const blocks = [...tiny.blocks.slice(0, 7), ...small.blocks.slice(7)];
    const entries = [tiny.blocks[3]!, tiny.blocks[6]!, small.blocks[33]!].map(({ entry }) => entry![of]);
    const parts = [tiny.embedding[of], ...blocks.map((block) => block[of]), ...entries, small.norm[of]];
    return parts.reduce((sum, part) => sum + part, 0);
  };
  assert.equal(stitchFlops(stitch, network), costs('flops') + 14 * 14 * 384 ** 2 + 1000 * 768);
  assert.equal(stitchParams(stitch, network).total, costs('params') + 384 * (384 + 1) + 1000 * (768 + 1));
});
