/** Costs of LLaMA 7B, 13B and their stitches against published counts and counts by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { llamaArchitecture } from '../../../src/models/llama/architecture.js';
import { llamaConfigFrom } from '../../../src/models/llama/config.js';
import {
  type StitchableNetwork,
  spaceTrainableParams,
  stitchFlops,
  stitchParams,
  trainableParams,
} from '../../../src/stitching/space/cost.js';
import { buildStitchSpace } from '../../../src/stitching/space/stitch-space.js';

const length = 256;
const configOf = (width: number, depth: number, mlp: number, more: object = {}) =>
  llamaConfigFrom(
    {
      hidden_size: width,
      num_hidden_layers: depth,
      num_attention_heads: width / 128,
      intermediate_size: mlp,
      vocab_size: 32_000,
      ...more,
    },
    'config.json',
  );
const anchors = [
  llamaArchitecture('7B', configOf(4096, 32, 11_008), length, { scale: 2 }),
  llamaArchitecture('13B', configOf(5120, 40, 13_824), length, { scale: 2 }),
];
const shapes = anchors.map(({ name, blocks }) => ({ name, width: blocks[0]!.width, depth: blocks.length }));
const space = buildStitchSpace(shapes, { pairing: 'unpaired' });
/** alpaca-lora: rank 8 on queries and values. */
const network: StitchableNetwork = {
  anchors,
  classes: 32_000,
  adaptation: { ranks: [8, 8], stitchingLayerRank: 8, stitchBias: true },
};
const stitchAt = (front: number, end: number) =>
  space.stitches.find(({ path }) => path[0]!.blocks[1] === front + 1 && path[1]?.blocks[0] === end)!;

test('anchors have the parameters that are published', () => {
  assert.deepEqual(
    [0, 1].map((id) => stitchParams(space.stitches[id]!, network).total),
    [6_738_415_616, 13_015_864_320],
  );
  assert.deepEqual(
    anchors.map(({ blocks }) => blocks[0]!.params),
    [202_383_360, 317_204_480],
  );
});

test('39 stitches lie between them, from 12.9 to 7.1 billion parameters', () => {
  assert.equal(space.stitches.length, 2 + 39);
  assert.equal(space.stitchingLayers.length, 32);
  for (const [front, end, billions] of [
    [0, 1, 12.89],
    [8, 10, 11.65],
    [16, 20, 10.1],
    [24, 30, 8.55],
    [31, 39, 7.11],
  ] as const) {
    const byHand =
      32_000 * 4096 +
      (front + 1) * 202_383_360 +
      (4096 * 5120 + 5120) +
      (40 - end) * 317_204_480 +
      5120 +
      32_000 * 5120;
    const { total } = stitchParams(stitchAt(front, end), network);
    assert.equal(total, byHand);
    assert.equal(Number((total / 1e9).toFixed(2)), billions);
  }
});

test('FLOPs of 256 tokens, counted by hand', () => {
  const block = (width: number, mlp: number) => length * (4 * width ** 2 + 3 * width * mlp) + 2 * length ** 2 * width;
  const head = (width: number) => length * width * 32_000;
  const plain = { ...network, adaptation: 'full' } as const;
  assert.equal(stitchFlops(space.stitches[0]!, plain), 32 * block(4096, 11_008) + head(4096));
  const stitched = 9 * block(4096, 11_008) + length * 4096 * 5120 + 30 * block(5120, 13_824) + head(5120);
  assert.equal(stitchFlops(stitchAt(8, 10), plain), stitched);
  // Two updates of rank 8 in each block, one at the stitching layer.
  const updates = length * 8 * (9 * 2 * (4096 + 4096) + 30 * 2 * (5120 + 5120) + (4096 + 5120));
  assert.equal(stitchFlops(stitchAt(8, 10), network), stitched + updates);
});

test('trained are updates and biases only: the head is frozen', () => {
  // alpaca-lora says of 7B: trainable params 4,194,304.
  assert.equal(trainableParams(space.stitches[0]!, network).lowRank, 4_194_304);
  const { lowRank, stitchingLayers, stitchBias, heads, anchors } = trainableParams(stitchAt(8, 10), network);
  assert.equal(lowRank, 8 * (9 * 2 * (4096 + 4096) + 30 * 2 * (5120 + 5120)));
  assert.equal(stitchingLayers, 8 * (4096 + 5120));
  assert.equal(stitchBias, 9 * 2 * 4096 + 30 * 2 * 5120 + 5120);
  assert.deepEqual([heads, anchors], [0, 0]);
  assert.equal(spaceTrainableParams(space, network).lowRank, 8 * 2 * 2 * (32 * 4096 + 40 * 5120));
});

test('values are narrower where heads of keys and values are shared, and any layers can be adapted', () => {
  const shared = configOf(2048, 22, 5632, { num_attention_heads: 32, num_key_value_heads: 4 });
  const { blocks } = llamaArchitecture('TinyLlama', shared, length, { targets: ['value', 'down'] });
  assert.deepEqual(blocks[0]!.adapted, [
    { name: 'value', layers: ['value'], from: 2048, to: 256, scale: 1 },
    { name: 'down', layers: ['down'], from: 5632, to: 2048, scale: 1 },
  ]);
});

test('a tied head counts with the embedding, and again where a stitch begins elsewhere', () => {
  const [small, large] = [
    configOf(256, 1, 8, { tie_word_embeddings: true }),
    configOf(512, 2, 8, { tie_word_embeddings: true }),
  ];
  const tied = [llamaArchitecture('small', small, length), llamaArchitecture('large', large, length)];
  const { stitches } = buildStitchSpace(
    [
      { name: 'small', width: 256, depth: 1 },
      { name: 'large', width: 512, depth: 2 },
    ],
    { pairing: 'unpaired' },
  );
  const heads = stitches.map((stitch) => stitchParams(stitch, { ...network, anchors: tied }).head);
  assert.deepEqual(heads, [0, 0, 32_000 * 512]);
});
