/** The network against timm's VisionTransformer (fixture: test/fixtures/make-vit.py): logits and every gradient. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { type ViTVariant, variantNamed } from '../../../src/models/vit/variants.js';
import { runViT } from '../../../src/models/vit/vision-transformer.js';
import { headFrom, initialHead, initialWeights, stateDictOf, weightsFrom } from '../../../src/models/vit/weights.js';
import { Random } from '../../../src/shared/random.js';
import { assertEqualsTimm } from '../timm-parity.js';

const variant: ViTVariant = {
  name: 'fixture',
  width: 8,
  depth: 2,
  heads: 2,
  mlpRatio: 4,
  patchSize: 4,
  imageSize: 8,
  classes: 3,
};

const parity = (kept?: readonly number[]) =>
  assertEqualsTimm({
    fixture: 'vit.json',
    side: variant.imageSize,
    networkFrom: (tensors) => ({ weights: weightsFrom(tensors, variant), head: headFrom(tensors)! }),
    stateDictOf: ({ weights, head }) => stateDictOf(weights, variant, head),
    run: ({ weights, head }, images) => runViT(weights, head, images, variant, kept && tf.tensor1d([...kept], 'int32')),
  });

test('logits and gradients equal timm to 1e-4 relative', () => parity());

// Blocks do not mind the order of tokens, so that any order of all of them must give timm's numbers.
test('kept tokens are gathered: logits and gradients equal timm when all are kept, in another order', () =>
  parity([0, 3, 1, 4, 2]));

test('weights survive the way to the state dict and back', () => {
  const mini = variantNamed('vit_mini_tiny');
  const weights = initialWeights(mini, Random.of(1, 'weights'));
  const head = initialHead(mini.width, 5, Random.of(1, 'head'));
  const tensors = stateDictOf(weights, mini, head);
  assert.deepEqual(weightsFrom(tensors, mini), weights);
  assert.deepEqual(headFrom(tensors), head);
  assert.equal(Object.keys(tensors).length, 152);
});
