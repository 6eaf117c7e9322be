/** A tree and its tensors by name are the same thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Float32NdArray, float32 } from '../../src/shared/arrays.js';
import { namedLeaves, treeOf } from '../../src/training/parameters.js';

const scalar = (value: number) => float32([], Float32Array.of(value));
const tree = {
  weights: { blocks: [{ query: scalar(1) }, { query: scalar(2), shape: { of: scalar(3) } }] },
  head: scalar(4),
};
const named = {
  'weights/blocks/0/query': scalar(1),
  'weights/blocks/1/query': scalar(2),
  'weights/blocks/1/shape/of': scalar(3),
  head: scalar(4),
};

test('leaves are named by their path; what has a shape is a leaf, a list or mapping of that name is none', () => {
  assert.deepEqual(namedLeaves<Float32NdArray>(tree), named);
  const value = { shape: [2], dtype: 'float32', storage: 7 };
  assert.deepEqual(namedLeaves({ a: value }), { a: value });
  for (const broken of [null, 3, { shape: 'none' }]) assert.throws(() => namedLeaves({ a: broken }), TypeError);
});

test('a tree is put together again from its names, in the form of a template', () => {
  const numbers = { 'weights/blocks/0/query': 'a', 'weights/blocks/1/query': 'b', 'weights/blocks/1/shape/of': 'c' };
  assert.deepEqual(treeOf(tree, { ...numbers, head: 'd', unused: 'e' }), {
    weights: { blocks: [{ query: 'a' }, { query: 'b', shape: { of: 'c' } }] },
    head: 'd',
  });
  assert.throws(() => treeOf(tree, numbers), { message: 'no tensor is named head' });
});
