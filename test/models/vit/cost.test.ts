/** Costs of ViT-Ti/S/B against published numbers: timm's parameter counts, SN-Net's fvcore FLOPs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureNamed } from '../../../src/models/architectures.js';

const sizes = ['tiny', 'small', 'base'].map((size) => architectureNamed(`vit_${size}_patch16_224`));

test('a block of ViT-Ti/S/B', () => {
  const [flops, params] = [
    [102_427_392, 379_147_776, 1_455_467_520],
    [444_864, 1_774_464, 7_087_872],
  ];
  for (const [index, { blocks }] of sizes.entries()) {
    for (const block of blocks) assert.deepEqual([block.flops, block.params], [flops![index], params![index]]);
  }
});

test('embedding, blocks and norm add up to the headless networks of timm', () => {
  const headless = sizes.map(
    ({ embedding, blocks, norm }) =>
      embedding.params + blocks.reduce((sum, { params }) => sum + params, 0) + norm.params,
  );
  assert.deepEqual(headless, [5_524_416, 21_665_664, 85_798_656]);
});

test('the embedding is a linear layer on 196 patches of 16 x 16 x 3, the norm 5 FLOPs an element', () => {
  assert.deepEqual(
    sizes.map(({ embedding, norm }) => [embedding.flops, norm.flops]),
    [192, 384, 768].map((width) => [196 * 768 * width, 5 * 197 * width]),
  );
});
