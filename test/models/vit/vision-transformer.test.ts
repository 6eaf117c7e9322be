/** The network against timm's VisionTransformer (fixture: test/fixtures/make-vit.py): logits and every gradient. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { numFeatures } from '../../../src/models/architecture.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { runNetwork } from '../../../src/models/blockwise.js';
import type { Linear, Norm } from '../../../src/models/layers.js';
import { viTArchitecture } from '../../../src/models/vit/architecture.js';
import { forwardHead, runBlock, type ViTBlock } from '../../../src/models/vit/vision-transformer.js';
import { headFrom, initialHead, initialWeights, stateDictOf, weightsFrom } from '../../../src/models/weights.js';
import { float32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { onReference } from '../../engine/tensors.js';
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

// timm's norm_layer=partial(nn.LayerNorm, eps=1e-6): values of +-0.001 have the variance 1e-6, so half of it is epsilon.
test('the variance under each norm is raised by 1e-6', () => {
  const small = 0.001;
  const normed = small / Math.sqrt(1e-6 + 1e-6);
  const identity = float32([2, 2], Float32Array.of(1, 0, 0, 1));
  const nothing = { weight: float32([2, 2]), bias: float32([2]) };
  const same = { weight: identity, bias: float32([2]) };
  const norm = { scale: float32([2], Float32Array.of(1, 1)), offset: float32([2]) };
  const x = float32([1, 1, 2], Float32Array.of(small, -small));
  const close = (outputs: Map<string, readonly number[]>, first: number) => {
    const [[one, other]] = [...outputs.values()] as [readonly number[]];
    assert.ok(Math.abs(one! - first) < 1e-5 && Math.abs(other! + first) < 1e-5, `${one} and ${other}, not ${first}`);
  };
  const logits = (given: { norm: Norm<tf.Tensor>; head: Linear<tf.Tensor>; x: tf.Tensor }) => ({
    logits: forwardHead(given.norm, given.head, given.x),
  });
  close(onReference(logits, { norm, head: same, x }), normed);
  const block = {
    ...{ norm1: norm, query: nothing, key: nothing, value: nothing, projection: same },
    ...{ norm2: norm, expand: nothing, contract: nothing },
  };
  const runs = ({ weights, x }: { weights: ViTBlock<tf.Tensor>; x: tf.Tensor }) => ({
    y: runBlock(weights, x, { heads: 1 }),
  });
  const run = (changes: Partial<typeof block>) => onReference(runs, { weights: { ...block, ...changes }, x });
  // One token attends to itself alone: its normed values are added to it.
  close(run({ value: same }), small + normed);
  // GELU is the identity far from zero: the bias goes there and comes back.
  const far = (value: number) => ({ weight: identity, bias: float32([2], Float32Array.of(value, value)) });
  close(run({ expand: far(20), contract: far(-20) }), small + normed);
});
