/** The network against timm's ConvNeXt (fixture: test/fixtures/make-convnext.py): logits and every gradient. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { numFeatures } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { runNetwork } from '../../../src/models/blockwise.js';
import { convNeXtArchitecture } from '../../../src/models/convnext/architecture.js';
import { forwardHead } from '../../../src/models/convnext/convnext.js';
import type { Linear, Norm } from '../../../src/models/layers.js';
import { headFrom, initialHead, initialWeights, stateDictOf, weightsFrom } from '../../../src/models/weights.js';
import { float32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { onReference } from '../../engine/tensors.js';
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

test('the variance under a norm is raised by 1e-6, as timm has it', () => {
  // Channels of +-0.001 have the variance 1e-6.
  const norm = { scale: float32([2], Float32Array.of(1, 1)), offset: float32([2]) };
  const head = { weight: float32([2, 2], Float32Array.of(1, 0, 0, 1)), bias: float32([2]) };
  const x = float32([1, 1, 1, 2], Float32Array.of(0.001, -0.001));
  const logits = (given: { norm: Norm<tf.Tensor>; head: Linear<tf.Tensor>; x: tf.Tensor }) => ({
    logits: forwardHead(given.norm, given.head, given.x),
  });
  const outputs = onReference(logits, { norm, head, x });
  for (const [index, value] of outputs.get('logits')!.entries()) {
    assert.ok(Math.abs(value - (index === 0 ? 1 : -1) * Math.SQRT1_2) < 1e-5, `${value}`);
  }
});
