/** Which space the anchors of a file have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { checkSpace, pstSpaceOf, spaceOf } from '../../src/experiment/space.js';
import { RequestError } from '../../src/shared/errors.js';

const anchorsOf = (...architectures: readonly string[]) =>
  architectures.map((architecture, index) => ({ name: 'abc'[index]!, architecture, checkpoint: 'embedded' }));
const viTs = anchorsOf('vit_tiny_patch16_224', 'vit_small_patch16_224', 'vit_base_patch16_224');
const convNeXts = anchorsOf('convnext_tiny.fb_in22k', 'convnext_small.fb_in22k');

test('vision transformers are stitched anywhere, by kernel and stride of the file', () => {
  const { architectures, space } = spaceOf(viTs, { kernel: 2, stride: 1 });
  // SN-Net: 71 stitches of ViT-Ti/S/B.
  assert.equal(space.stitches.length, 71);
  assert.deepEqual(
    architectures.map(({ name, blocks }) => [name, blocks.length]),
    viTs.map(({ architecture }) => [architecture, 12]),
  );
  // A window of one block has its 12 blocks for each pair; windows of two that do not overlap have six of four pairs.
  assert.equal(spaceOf(viTs, { kernel: 1, stride: 1 }).space.stitches.length, 3 + 2 * 12);
  assert.equal(spaceOf(viTs, { kernel: 2, stride: 2 }).space.stitches.length, 3 + 2 * 6 * 4);
});

test('networks in stages are stitched stage by stage', () => {
  const { space } = spaceOf(convNeXts, { kernel: 1, stride: 1 });
  const pairs = space.stitches.flatMap(({ path: [front, end] }) => (end ? [[front!.blocks[1], end.blocks[0]]] : []));
  // Of stages of 3, 3, 9 and 3 blocks and of 3, 3, 27 and 3: pairs of the third lie where three blocks stand for one.
  assert.ok(pairs.every(([from, to]) => (from! <= 6 ? from === to : from! > 15 ? to === from! + 18 : true)));
  assert.ok(pairs.some(([from, to]) => from! > 6 && from! < 15 && to! > from! + 1));
});

test('images of another size have other tokens in all anchors', () => {
  const positions = (crop?: number) =>
    spaceOf(viTs, { kernel: 2, stride: 1 }, crop).architectures.map(({ blocks }) => blocks[0]!.positions);
  // Patches of 16 x 16 pixels, and the class token.
  assert.deepEqual([positions(), positions(64)], [Array(3).fill(14 ** 2 + 1), Array(3).fill(4 ** 2 + 1)]);
});

test('the space of a file, with what is trained of it', () => {
  const experiment = experimentSchema.parse({
    ...{ name: 'x', anchors: viTs, data: { kind: 'species' }, stitching: { kernel: 1 }, preprocessing: { crop: 64 } },
    adaptation: { ranks: [3, 2, 1], stitching_layer_rank: 5, stitch_bias: false },
  });
  const { space, network } = pstSpaceOf(experiment, 7);
  assert.equal(space.stitches.length, 3 + 2 * 12);
  assert.equal(network.classes, 7);
  assert.equal(network.anchors[2]!.blocks[0]!.positions, 17);
  assert.deepEqual(network.adaptation, { ranks: [3, 2, 1], stitchingLayerRank: 5, stitchBias: false });
});

test('a window that slides over nothing is refused, since it would change nothing', () => {
  const llamas = ['llama_7b', 'llama_13b'].map((architecture, index) => ({
    ...{ name: 'ab'[index]!, architecture, checkpoint: '/nowhere' },
  }));
  const onText = (stitching: object) =>
    checkSpace(
      experimentSchema.parse({
        ...{ name: 'x', anchors: llamas, data: { kind: 'instructions', file: 'x.json' }, stitching },
        ...{ adaptation: { ranks: [8, 8], stitch_bias: false }, evaluation: { deploy_by: 'validation' } },
      }),
    );
  // 32 and 40 blocks: the nearest are stitched, whatever the window.
  onText({});
  for (const stitching of [{ kernel: 3 }, { stride: 2 }]) {
    assert.throws(() => onText(stitching), {
      name: 'RequestError',
      message: `stitching: expected kernel 2 and stride 1, or neither, received ${stitching.kernel ?? 2} and ${stitching.stride ?? 1}: the stitches are the same`,
    });
  }
  // The first two stages of ConvNeXt-T and S have three blocks each.
  const staged = { name: 'x', anchors: convNeXts, data: { kind: 'species' }, adaptation: { ranks: [8, 8] } };
  checkSpace(experimentSchema.parse({ ...staged, stitching: { kernel: 3 } }));
});

test('anchors of two families, and of different numbers of tokens, are refused with all of them', () => {
  const refused = (anchors: typeof viTs, message: string, hint: RegExp) =>
    assert.throws(
      () => spaceOf(anchors, { kernel: 2, stride: 1 }),
      (error) => error instanceof RequestError && error.message === message && hint.test(error.hint!),
    );
  refused(
    anchorsOf('vit_tiny_patch16_224', 'convnext_tiny.fb_in22k'),
    'anchors: expected networks of one family, received a (vit_tiny_patch16_224), b (convnext_tiny.fb_in22k)',
    /tokens and ConvNeXts feature maps/,
  );
  refused(
    anchorsOf('vit_mini_tiny', 'vit_small_patch16_224'),
    'anchors: expected the same number of tokens in all, received a (vit_mini_tiny): 65, b (vit_small_patch16_224): 197',
    /one patch size and one image size/,
  );
});
