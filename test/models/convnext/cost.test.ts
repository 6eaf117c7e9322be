/**
 * Costs of ConvNeXt-T/S/B with 1000 classes against published numbers: parameters of timm's state dicts, and FLOPs of its
 * benchmark (4.47, 8.71, 15.38 G) to the unit as fvcore counts them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headWidthOf } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import * as convNeXtCost from '../../../src/models/convnext/cost.js';
import { convNeXtVariantNamed } from '../../../src/models/convnext/variants.js';
import { initialConvNeXtWeights } from '../../../src/models/convnext/weights.js';
import { sizeOf } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { leavesOf } from '../../../src/shared/tree.js';
import { isArray } from '../../engine/tensors.js';

const sizes = ['tiny', 'small', 'base'].map((size) => architectureNamed(`convnext_${size}.fb_in22k`));

function total(of: 'flops' | 'params', index: number): number {
  const { embedding, blocks, norm } = sizes[index]!;
  return embedding[of] + norm[of] + blocks.reduce((sum, block) => sum + block[of] + (block.entry?.[of] ?? 0), 0);
}

test('FLOPs with 1000 classes', () => {
  assert.deepEqual(
    sizes.map((shape, index) => total('flops', index) + 1000 * headWidthOf(shape)),
    [4_470_399_744, 8_705_354_496, 15_383_585_792],
  );
});

test('parameters without and with a head of 1000 classes', () => {
  const headless = sizes.map((_, index) => total('params', index));
  assert.deepEqual(headless, [27_820_128, 49_454_688, 87_566_464]);
  assert.deepEqual(
    sizes.map((shape, index) => headless[index]! + 1000 * (headWidthOf(shape) + 1)),
    [28_589_128, 50_223_688, 88_591_464],
  );
});

test('parameters are those of the tree of weights', () => {
  const variant = convNeXtVariantNamed('convnext_mini_base');
  const { embedding, downsamplings, blocks, norm } = initialConvNeXtWeights(variant, Random.of(0, 'weights'));
  const counted = (tree: unknown) =>
    leavesOf(tree as never, isArray).reduce((sum, { leaf }) => sum + sizeOf(leaf.shape), 0);
  assert.equal(convNeXtCost.convNeXtStemCost(variant).params, counted(embedding));
  assert.equal(convNeXtCost.convNeXtNormCost(variant).params, counted(norm));
  for (const [index, downsampling] of downsamplings.entries()) {
    assert.equal(convNeXtCost.downsamplingCost(variant, index + 1).params, counted(downsampling));
  }
  assert.equal(convNeXtCost.convNeXtBlockCost(variant, 0).params, counted(blocks[0]));
  assert.equal(convNeXtCost.convNeXtBlockCost(variant, 3).params, counted(blocks.at(-1)));
});

test('a block by hand: 14 x 14 pixels of 384 channels', () => {
  const variant = convNeXtVariantNamed('convnext_tiny');
  assert.deepEqual(convNeXtCost.convNeXtBlockCost(variant, 2), {
    flops: 14 * 14 * (49 * 384 + 5 * 384 + 8 * 384 ** 2),
    params: 8 * 384 ** 2 + (49 + 1 + 2 + 4 + 1 + 1) * 384,
  });
});
