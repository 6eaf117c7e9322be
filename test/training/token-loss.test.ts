/** Losses of language models against their definition, written out in double precision. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { float32, int32 } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { crossEntropy, distillation } from '../../src/training/loss.js';
import { assertClose, onEngine, onReference, randomArray } from '../engine/tensors.js';

const [batch, length, vocabulary] = [2, 4, 120];
const logits = randomArray(Random.of(0), [batch, length, vocabulary]);
const teacher = randomArray(Random.of(1), [batch, length, vocabulary]);
/** Learned are 7, 119 and 3, each predicted by the token before; nothing predicts the first token of a text. */
const labels = int32([batch, length], Int32Array.of(-100, -100, 7, 119, 5, 3, -100, -100));
const predictors = [
  [1, 7],
  [2, 119],
  [4, 3],
] as const;

/** softmax(logits / T) of token `row` in the batch */
function shares(values: Float32Array, row: number, temperature = 1): number[] {
  const exponentials = [...values.subarray(row * vocabulary, (row + 1) * vocabulary)].map((value) =>
    Math.exp(value / temperature),
  );
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((value) => value / sum);
}

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

interface Given {
  readonly logits: tf.Tensor;
  readonly teacher: tf.Tensor;
  readonly labels: tf.Tensor;
}
const losses = ({ logits, teacher, labels }: Given) => ({
  hard: crossEntropy(logits, labels),
  soft: distillation(logits, teacher, labels, 3),
  gradient: tf.grad((x: tf.Tensor) => crossEntropy(x, labels))(logits),
});

test('the mean is over learned tokens, each predicted by the one before it; on both backends', async () => {
  const hard = predictors.reduce((sum, [row, id]) => sum - Math.log(shares(logits.data, row)[id]!), 0) / 3;
  const soft = predictors.reduce((sum, [row]) => {
    const targets = shares(teacher.data, row, 3);
    return sum - shares(logits.data, row, 3).reduce((own, share, id) => own + targets[id]! * Math.log(share), 0);
  }, 0);
  // (softmax - one-hot) / 3 where a token is learned, else 0.
  const gradient = new Array<number>(batch * length * vocabulary).fill(0);
  for (const [row, id] of predictors) {
    for (const [column, share] of shares(logits.data, row).entries()) {
      gradient[row * vocabulary + column] = (share - (column === id ? 1 : 0)) / 3;
    }
  }
  const expected = new Map([
    ['hard', [hard]],
    // temperature 3, not 2, whose square is its double
    ['soft', [(soft * 3 ** 2) / 3]],
    ['gradient', gradient],
  ]);
  assertClose(onReference(losses, { logits, teacher, labels }), expected, 1e-5);
  assertClose(await onEngine(engine, 'losses', losses, { logits, teacher, labels }), expected, 1e-5);
});

test('a batch in which nothing is learned has the loss 0, and no gradient', () => {
  const none = int32([1, 2], Int32Array.of(4, -100));
  const given = { logits: float32([1, 2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)), labels: none };
  const values = onReference(losses, { ...given, teacher: given.logits });
  for (const [name, numbers] of values)
    assert.ok(
      numbers.every((value) => value === 0),
      `${name}: ${numbers}`,
    );
});
