/** The network against timm's ConvNeXt (fixture: test/fixtures/make-convnext.py): logits and every gradient. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numFeatures } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { runNetwork } from '../../../src/models/blockwise.js';
import { convNeXtArchitecture } from '../../../src/models/convnext/architecture.js';
import { headFrom, initialHead, initialWeights, stateDictOf, weightsFrom } from '../../../src/models/weights.js';
import { Random } from '../../../src/shared/random.js';
import { assertEqualsTimm } from '../timm-parity.js';

const architecture = convNeXtArchitecture({
  name: 'fixture',
  depths: [1, 1, 2, 1],
  dims: [3, 4, 5, 6],
  imageSize: 32,
  classes: 3,
});

test('logits and gradients equal timm to 1e-4 relative', () =>
  assertEqualsTimm({
    fixture: 'convnext.json',
    side: 32,
    networkFrom: (tensors) => ({ weights: weightsFrom(tensors, architecture), head: headFrom(tensors, architecture)! }),
    stateDictOf: ({ weights, head }) => stateDictOf(architecture, weights, head),
    run: ({ weights, head }, images) => runNetwork(architecture, weights, head, images),
  }));

test('weights survive the way to the state dict and back', () => {
  const mini = architectureNamed('convnext_mini_base');
  const weights = initialWeights(mini, Random.of(1, 'weights'));
  const head = initialHead(numFeatures(mini), 5, Random.of(1, 'head'));
  const tensors = stateDictOf(mini, weights, head);
  assert.deepEqual(weightsFrom(tensors, mini), weights);
  assert.deepEqual(headFrom(tensors, mini), head);
});
