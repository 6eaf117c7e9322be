/** The network against timm's ConvNeXt (fixture: test/fixtures/make-convnext.py): logits and every gradient. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runConvNeXt } from '../../../src/models/convnext/convnext.js';
import { type ConvNeXtVariant, convNeXtVariantNamed } from '../../../src/models/convnext/variants.js';
import {
  convNeXtHeadFrom,
  convNeXtStateDictOf,
  convNeXtWeightsFrom,
  initialConvNeXtWeights,
} from '../../../src/models/convnext/weights.js';
import { initialHead } from '../../../src/models/vit/weights.js';
import { Random } from '../../../src/shared/random.js';
import { assertEqualsTimm } from '../timm-parity.js';

const variant: ConvNeXtVariant = {
  name: 'fixture',
  depths: [1, 1, 2, 1],
  dims: [3, 4, 5, 6],
  imageSize: 32,
  classes: 3,
};

test('logits and gradients equal timm to 1e-4 relative', () =>
  assertEqualsTimm({
    fixture: 'convnext.json',
    side: variant.imageSize,
    networkFrom: (tensors) => ({ weights: convNeXtWeightsFrom(tensors, variant), head: convNeXtHeadFrom(tensors)! }),
    stateDictOf: ({ weights, head }) => convNeXtStateDictOf(weights, variant, head),
    run: ({ weights, head }, images) => runConvNeXt(weights, head, images, variant),
  }));

test('weights survive the way to the state dict and back', () => {
  const mini = convNeXtVariantNamed('convnext_mini_base');
  const weights = initialConvNeXtWeights(mini, Random.of(1, 'weights'));
  const head = initialHead(mini.dims[3], 5, Random.of(1, 'head'));
  const tensors = convNeXtStateDictOf(weights, mini, head);
  assert.deepEqual(convNeXtWeightsFrom(tensors, mini), weights);
  assert.deepEqual(convNeXtHeadFrom(tensors), head);
});
