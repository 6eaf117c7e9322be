/** The step of ordinary training: what it mixes, smooths and decays, against values by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { supervisedStep } from '../../src/training/supervised-step.js';

tf.setBackend('cpu');

/** A network that is its head alone: logits = pixel * weight, weight [1, 2]. */
function stepOf({ lambda = 1, smoothing = 0, decay = 0, rate = 0 }) {
  const network = (fill: number) => ({
    weights: { embedding: {}, blocks: [], norm: { scale: tf.fill([1], fill), offset: tf.fill([1], fill) } },
    head: { weight: tf.fill([1, 2], fill), bias: tf.fill([2], fill) },
  });
  const count = { scale: tf.scalar(0), offset: tf.scalar(0), bias: tf.scalar(0), weight: tf.scalar(0) };
  const parameters = { ...network(0), head: { weight: tf.tensor2d([[1, -1]]), bias: tf.tensor1d([0.5, 0.25]) } };
  const logits = ({ weights, head }: typeof parameters, images: tf.Tensor) =>
    tf
      .matMul(images.reshape([-1, 1]), head.weight)
      .add(head.bias)
      .add(weights.norm.scale.add(weights.norm.offset));
  const step = supervisedStep({ logits } as never, { classes: 2, weightDecay: decay, labelSmoothing: smoothing });
  return step({
    state: {
      parameters,
      optimizer: {
        expAvg: network(0),
        expAvgSq: network(0),
        step: { weights: { embedding: {}, blocks: [], norm: count }, head: count },
      },
    },
    images: tf.tensor4d([2, -1], [2, 1, 1, 1]),
    labels: tf.tensor1d([0, 1], 'int32'),
    rate: tf.scalar(rate),
    mixupLambda: tf.scalar(lambda),
  } as never);
}

/** Cross-entropy of logits (x + 0.5, 0.25 - x) with a target for the first class. */
const entropy = (x: number, target: number) => {
  const [a, b] = [x + 0.5, 0.25 - x];
  const total = Math.log(Math.exp(a) + Math.exp(b));
  return target * (total - a) + (1 - target) * (total - b);
};
const closeTo = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-5, `${actual}, expected ${expected}`);

test('mixup takes 1 - lambda of the other image and of its target', () => {
  closeTo(stepOf({}).loss.dataSync()[0]!, (entropy(2, 1) + entropy(-1, 0)) / 2);
  const mixed = (entropy(0.7 * 2 - 0.3, 0.7) + entropy(-0.7 + 0.3 * 2, 0.3)) / 2;
  closeTo(stepOf({ lambda: 0.7 }).loss.dataSync()[0]!, mixed);
});

test('smoothing spreads its share over all classes', () => {
  closeTo(stepOf({ smoothing: 0.2 }).loss.dataSync()[0]!, (entropy(2, 0.9) + entropy(-1, 0.1)) / 2);
});

test('decay shrinks the weight by rate times decay beside the step, and no bias', () => {
  const [plain, decayed] = [stepOf({ rate: 0.1 }), stepOf({ rate: 0.1, decay: 0.5 })].map(
    ({ state }) => state.parameters.head,
  );
  const difference = plain!.weight.sub(decayed!.weight).dataSync();
  closeTo(difference[0]!, 0.05 * 1);
  closeTo(difference[1]!, 0.05 * -1);
  assert.deepEqual(decayed!.bias.dataSync(), plain!.bias.dataSync());
});
