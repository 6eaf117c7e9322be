import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryOf, permuted, reshaped, stacked } from '../../../../src/models/pretrained/formats/layout.js';
import { float32 } from '../../../../src/shared/arrays.js';

const array = float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));

test('permuted moves axes as numpy.transpose', () => {
  assert.deepEqual(permuted(array, [1, 0]), float32([3, 2], Float32Array.of(1, 4, 2, 5, 3, 6)));
  const cube = float32([2, 2, 2], Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  // numpy.arange(8).reshape(2, 2, 2).transpose(2, 0, 1).flatten()
  assert.deepEqual([...permuted(cube, [2, 0, 1]).data], [0, 2, 4, 6, 1, 3, 5, 7]);
  assert.deepEqual(permuted(float32([], Float32Array.of(3)), []), float32([], Float32Array.of(3)));
  assert.throws(() => permuted(array, [0, 1, 2]), RangeError);
});

test('reshaped keeps the order and fills in one extent', () => {
  assert.deepEqual(reshaped(array, [-1]).shape, [6]);
  assert.deepEqual(reshaped(array, [3, -1]).shape, [3, 2]);
  assert.throws(() => reshaped(array, [4, -1]), RangeError);
});

test('stacked and entryOf undo each other', () => {
  const both = stacked([reshaped(array, [1, 2, 3]), reshaped(array, [1, 2, 3])]);
  assert.deepEqual(both.shape, [2, 2, 3]);
  assert.deepEqual([...entryOf(both, 1).data], [...array.data]);
});
