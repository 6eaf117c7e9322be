import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunks, mean } from '../../src/shared/groups.js';

test('neighbours together, the last ones fewer', () => {
  assert.deepEqual(chunks([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(chunks([], 2), []);
});

test('a mean', () => assert.equal(mean([1, 2, 6]), 3));
