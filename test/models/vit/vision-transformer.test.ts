/** The network against timm's VisionTransformer (fixture: test/fixtures/make-vit.py): logits and every gradient. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { numFeatures } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { runNetwork } from '../../../src/models/blockwise.js';
import { viTArchitecture } from '../../../src/models/vit/architecture.js';
import { headFrom, initialHead, initialWeights, stateDictOf, weightsFrom } from '../../../src/models/weights.js';
import { Random } from '../../../src/shared/random.js';
import { assertEqualsTimm } from '../timm-parity.js';

const architecture = viTArchitecture({
  name: 'fixture',
  width: 8,
  depth: 2,
  heads: 2,
  mlpRatio: 4,
  patchSize: 4,
  imageSize: 8,
  classes: 3,
});

const parity = (kept?: readonly number[]) =>
  assertEqualsTimm({
    fixture: 'vit.json',
    side: 8,
    networkFrom: (tensors) => ({ weights: weightsFrom(tensors, architecture), head: headFrom(tensors, architecture)! }),
    stateDictOf: ({ weights, head }) => stateDictOf(architecture, weights, head),
    run: ({ weights, head }, images) =>
      runNetwork(architecture, weights, head, images, kept && tf.tensor1d([...kept], 'int32')),
  });

test('logits and gradients equal timm to 1e-4 relative', () => parity());

// Blocks do not mind the order of tokens, so that any order of all of them must give timm's numbers.
test('kept tokens are gathered: logits and gradients equal timm when all are kept, in another order', () =>
  parity([0, 3, 1, 4, 2]));

test('weights survive the way to the state dict and back', () => {
  const mini = architectureNamed('vit_mini_tiny');
  const weights = initialWeights(mini, Random.of(1, 'weights'));
  const head = initialHead(numFeatures(mini), 5, Random.of(1, 'head'));
  const tensors = stateDictOf(mini, weights, head);
  assert.deepEqual(weightsFrom(tensors, mini), weights);
  assert.deepEqual(headFrom(tensors, mini), head);
  assert.equal(Object.keys(tensors).length, 152);
});
