/** Tensors that are moved together, against the same tensors moved alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { groupAlike, joinRows, splitRows } from '../../src/engine/alike.js';
import { type AdamWState, adamW } from '../../src/training/optimizer.js';

tf.setBackend('cpu');

test('only small tensors of one shape and key belong together', () => {
  const names = (of: Record<string, tf.Tensor>, key?: (name: string) => string) =>
    groupAlike(Object.keys(of), (name) => of[name]!, key);
  const [row, other, column] = [tf.zeros([1, 3]), tf.zeros([1, 3]), tf.zeros([3, 1])];
  assert.deepEqual(names({ row, column, other }), [['row', 'other'], ['column']]);
  assert.deepEqual(
    names({ row, other }, (name) => name),
    [['row'], ['other']],
  );
  // 2^16 elements is the largest tensor that is copied.
  const of = (width: number) => [tf.zeros([width, 256]), tf.zeros([width, 256])] as const;
  const [[a, b], [c, d]] = [of(256), of(257)];
  assert.deepEqual(names({ a, b, c, d }), [['a', 'b'], ['c'], ['d']]);
});

test('rows are the elements of each tensor, and become the tensors again', () => {
  const tensors = [tf.tensor2d([[1, 2]]), tf.tensor2d([[3, 4]])];
  const rows = joinRows(tensors);
  assert.deepEqual(rows.arraySync(), [
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(
    splitRows(rows, 2, [1, 2]).map((tensor) => tensor.arraySync()),
    [[[1, 2]], [[3, 4]]],
  );
  const counts = joinRows([tf.scalar(5), tf.scalar(6)]);
  assert.deepEqual(
    splitRows(counts, 2, []).map((tensor) => tensor.arraySync()),
    [5, 6],
  );
});

test('AdamW moves tensors of one shape, each with its own count of steps, as if each were alone', () => {
  type Tree = Record<string, tf.Tensor>;
  const parameters: Tree = { a: tf.tensor2d([[1, -2]]), b: tf.tensor2d([[0.5, 3]]), c: tf.tensor1d([1, 2]) };
  const gradients: Tree = { a: tf.tensor2d([[0.1, 0.2]]), b: tf.tensor2d([[-0.3, 0.4]]), c: tf.tensor1d([0.7, -1]) };
  const state: AdamWState<Tree> = {
    expAvg: { a: tf.tensor2d([[0, 0.1]]), b: tf.tensor2d([[0.2, 0]]), c: tf.tensor1d([0, 0]) },
    expAvgSq: { a: tf.tensor2d([[0.1, 0.1]]), b: tf.tensor2d([[0.3, 0]]), c: tf.tensor1d([0, 1]) },
    step: { a: tf.scalar(3), b: tf.scalar(40), c: tf.scalar(0) },
  };
  const only = (tree: Tree, name: string): Tree => ({ [name]: tree[name]! });
  const step = (names: (tree: Tree) => Tree) =>
    adamW(
      names(parameters),
      names(gradients),
      { expAvg: names(state.expAvg), expAvgSq: names(state.expAvgSq), step: names(state.step) },
      tf.scalar(0.01),
      { weightDecay: 0.1 },
    );
  const together = step((tree) => tree);
  for (const name of Object.keys(parameters)) {
    const alone = step((tree) => only(tree, name));
    for (const [one, other] of [
      [together.parameters, alone.parameters],
      [together.state.expAvg, alone.state.expAvg],
      [together.state.expAvgSq, alone.state.expAvgSq],
      [together.state.step, alone.state.step],
    ] as const) {
      assert.deepEqual(one[name]!.arraySync(), other[name]!.arraySync());
    }
  }
  assert.deepEqual(together.state.step['b']!.arraySync(), 41);
});
