/** A network as two vectors and back, outside and inside of a program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { fromScratch } from '../../../src/models/from-scratch.js';
import { isFloat32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { leavesOf } from '../../../src/shared/tree.js';
import { decays } from '../../../src/training/optimizer.js';
import { FlatForm } from '../../../src/training/together/flat-network.js';
import { architectures } from '../miniature-network.js';

const network = fromScratch(architectures[0]!).fresh(3, Random.of(0, 'network'));
const form = new FlatForm(network);

test('all weights are in one of two vectors, what decays in the first', () => {
  const flat = form.flatten(network);
  const leaves = leavesOf(network, isFloat32);
  const elements = (decayed: boolean) =>
    leaves
      .filter(({ path, leaf }) => decays(path, leaf) === decayed)
      .reduce((sum, { leaf }) => sum + leaf.data.length, 0);
  assert.deepEqual([flat.decayed.shape, flat.free.shape], [[elements(true)], [elements(false)]]);
  assert.ok(elements(true) > elements(false) && elements(false) > 0);
  assert.deepEqual(form.networkOf(flat), network);
});

test('a program sees the same network', () => {
  tf.setBackend('cpu');
  const { decayed, free } = form.flatten(network);
  const tensors = form.unflatten({ decayed: tf.tensor1d(decayed.data), free: tf.tensor1d(free.data) });
  const seen = leavesOf(tensors, (node): node is tf.Tensor => node instanceof tf.Tensor);
  const expected = leavesOf(network, isFloat32);
  assert.equal(seen.length, expected.length);
  for (const [index, { path, leaf }] of expected.entries()) {
    assert.equal(seen[index]!.path, path);
    assert.deepEqual([seen[index]!.leaf.shape, [...seen[index]!.leaf.dataSync()]], [leaf.shape, [...leaf.data]]);
  }
});
