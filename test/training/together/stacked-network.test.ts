/** A network as stacks of tensors and back, outside and inside of a program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { fromScratch } from '../../../src/models/from-scratch.js';
import { isFloat32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { leavesOf } from '../../../src/shared/tree.js';
import { decays } from '../../../src/training/optimizer.js';
import { StackedForm, stackDecays } from '../../../src/training/together/stacked-network.js';
import { architectures } from '../miniature-network.js';

const network = fromScratch(architectures[0]!).fresh(3, Random.of(0, 'network'));
const form = new StackedForm(network);

test('tensors of one shape are one stack, what decays apart from what does not', () => {
  const stacked = form.stack(network);
  const leaves = leavesOf(network, isFloat32);
  // Two blocks: query, key, value and projection of [8, 8]; biases and norms of [8], six in a block, and the last norm.
  assert.deepEqual(stacked['decayed 8x8']!.shape, [8, 8, 8]);
  assert.deepEqual(stacked['free 8']!.shape, [2 * (4 + 1 + 4) + 2 + 1, 8]);
  for (const decayed of [true, false]) {
    const expected = leaves.filter(({ path, leaf }) => decays(path, leaf) === decayed);
    const stacks = Object.entries(stacked).filter(([name]) => stackDecays(name) === decayed);
    const elements = (arrays: readonly { readonly data: Float32Array }[]) =>
      arrays.reduce((sum, { data }) => sum + data.length, 0);
    assert.equal(elements(stacks.map(([, stack]) => stack)), elements(expected.map(({ leaf }) => leaf)));
  }
  assert.deepEqual(form.networkOf(stacked), network);
});

test('a program sees the same network', () => {
  tf.setBackend('cpu');
  const tensors = form.unstack(
    Object.fromEntries(
      Object.entries(form.stack(network)).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
    ),
  );
  const seen = leavesOf(tensors, (node): node is tf.Tensor => node instanceof tf.Tensor);
  const expected = leavesOf(network, isFloat32);
  assert.equal(seen.length, expected.length);
  for (const [index, { path, leaf }] of expected.entries()) {
    assert.equal(seen[index]!.path, path);
    assert.deepEqual([seen[index]!.leaf.shape, [...seen[index]!.leaf.dataSync()]], [leaf.shape, [...leaf.data]]);
  }
});
