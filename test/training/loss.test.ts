/** Losses against their definitions, written out in double precision. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { crossEntropy, distillation, smoothedTargets, softCrossEntropy } from '../../src/training/loss.js';

before(() => tf.setBackend('cpu'));

const logits = [
  [1, -2, 0.5],
  [0.3, 0.1, 4],
];
const labels = [2, 0];

const softmax = (row: readonly number[]) => {
  const exponentials = row.map(Math.exp);
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((value) => value / sum);
};

/** Mean over rows of -sum target log(softmax). */
const expected = (rows: readonly (readonly number[])[], targets: readonly (readonly number[])[]) => {
  const ofRow = rows.map((row, index) =>
    softmax(row).reduce((sum, share, column) => sum - targets[index]![column]! * Math.log(share), 0),
  );
  return ofRow.reduce((a, b) => a + b) / rows.length;
};

const closeTo = (actual: tf.Tensor, value: number) => {
  assert.deepEqual(actual.shape, []);
  assert.ok(Math.abs(actual.dataSync()[0]! - value) < 1e-6 * Math.abs(value), `${actual.dataSync()[0]}, not ${value}`);
};

test('cross-entropy is the mean over the batch', () => {
  const targets = [
    [0.5, 0.25, 0.25],
    [0, 1, 0],
  ];
  closeTo(softCrossEntropy(tf.tensor2d(logits), tf.tensor2d(targets)), expected(logits, targets));
  const hard = [
    [0, 0, 1],
    [1, 0, 0],
  ];
  closeTo(crossEntropy(tf.tensor2d(logits), tf.tensor1d(labels, 'int32')), expected(logits, hard));
});

test('label smoothing s leaves 1 - s + s / classes to the label and s / classes to each other class', () => {
  // 0.3 over three classes, as torch.nn.CrossEntropyLoss(label_smoothing=0.3) spreads it.
  const smoothed = [
    [0.1, 0.1, 0.8],
    [0.8, 0.1, 0.1],
  ];
  const targets = smoothedTargets(tf.tensor1d(labels, 'int32'), 3, 0.3);
  const error = Math.max(...targets.sub(tf.tensor2d(smoothed)).abs().dataSync());
  assert.ok(error < 1e-7);
  closeTo(crossEntropy(tf.tensor2d(logits), tf.tensor1d(labels, 'int32'), 0.3), expected(logits, smoothed));
});

test('distillation softens both sides by T and scales by T^2', () => {
  const teacher = [
    [2, 1, -1],
    [-3, 0.5, 0],
  ];
  for (const temperature of [1, 3]) {
    const soft = (rows: readonly (readonly number[])[]) => rows.map((row) => row.map((value) => value / temperature));
    closeTo(
      distillation(tf.tensor2d(logits), tf.tensor2d(teacher), tf.tensor1d(labels, 'int32'), temperature),
      temperature ** 2 * expected(soft(logits), soft(teacher).map(softmax)),
    );
  }
});
