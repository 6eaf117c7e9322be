/** Layer costs against numbers published for ViT-Ti/S/B (timm's parameter counts; SN-Net's fvcore FLOPs) and by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as cost from '../../src/models/cost.js';
import { variantNamed } from '../../src/models/vit/variants.js';

const sizes = ['tiny', 'small', 'base'].map((size) => variantNamed(`vit_${size}_patch16_224`));

test('a block of ViT-Ti/S/B', () => {
  assert.deepEqual(
    sizes.map((shape) => cost.vitBlockFlops(shape)),
    [102_427_392, 379_147_776, 1_455_467_520],
  );
  assert.deepEqual(sizes.map(cost.vitBlockParams), [444_864, 1_774_464, 7_087_872]);
});

test('embedding, blocks and norm add up to the headless networks of timm', () => {
  const headless = sizes.map(
    (shape) => cost.vitEmbeddingParams(shape) + 12 * cost.vitBlockParams(shape) + cost.layerNormParams(shape.width),
  );
  assert.deepEqual(headless, [5_524_416, 21_665_664, 85_798_656]);
});

test('a low-rank update of q, k and v adds 6 N D r', () => {
  const [tiny] = sizes;
  assert.equal(cost.vitBlockFlops(tiny!, 32) - cost.vitBlockFlops(tiny!), 6 * 197 * 192 * 32);
  assert.equal(cost.lowRankFlops(10, 3, 5, 2), 10 * (3 * 2 + 2 * 5));
  assert.equal(cost.lowRankParams(3, 5, 2), 16);
});

test('grey images have a third of the patch embedding', () => {
  const [tiny] = sizes;
  assert.equal(3 * cost.vitEmbeddingFlops({ ...tiny!, channels: 1 }), cost.vitEmbeddingFlops(tiny!));
});
