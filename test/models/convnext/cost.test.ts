/**
 * Costs of ConvNeXt-T/S/B with 1000 classes against published numbers: parameters of timm's state dicts, and FLOPs of its
 * benchmark (4.47, 8.71, 15.38 G) to the unit as fvcore counts them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numFeatures } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';

const sizes = ['tiny', 'small', 'base'].map((size) => architectureNamed(`convnext_${size}.fb_in22k`));

function total(of: 'flops' | 'params', index: number): number {
  const { embedding, blocks, norm } = sizes[index]!;
  return embedding[of] + norm[of] + blocks.reduce((sum, block) => sum + block[of] + (block.entry?.[of] ?? 0), 0);
}

test('FLOPs with 1000 classes', () => {
  assert.deepEqual(
    sizes.map((shape, index) => total('flops', index) + 1000 * numFeatures(shape)),
    [4_470_399_744, 8_705_354_496, 15_383_585_792],
  );
});

test('parameters without and with a head of 1000 classes', () => {
  const headless = sizes.map((_, index) => total('params', index));
  assert.deepEqual(headless, [27_820_128, 49_454_688, 87_566_464]);
  assert.deepEqual(
    sizes.map((shape, index) => headless[index]! + 1000 * (numFeatures(shape) + 1)),
    [28_589_128, 50_223_688, 88_591_464],
  );
});

test('a block by hand: 14 x 14 pixels of 384 channels', () => {
  const { flops, params } = architectureNamed('convnext_tiny').blocks[6]!;
  assert.equal(flops, 14 * 14 * (49 * 384 + 5 * 384 + 8 * 384 ** 2));
  assert.equal(params, 8 * 384 ** 2 + (49 + 1 + 2 + 4 + 1 + 1) * 384);
});

test('a downsampling by hand: from 28 x 28 pixels of 192 channels to 14 x 14 of 384', () => {
  const { entry } = architectureNamed('convnext_tiny').blocks[6]!;
  assert.equal(entry!.flops, 28 * 28 * 5 * 192 + 14 * 14 * 4 * 192 * 384);
  assert.equal(entry!.params, 2 * 192 + 4 * 192 * 384 + 384);
});
