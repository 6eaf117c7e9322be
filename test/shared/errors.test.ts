import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/shared/errors.js';

test('did you mean: what differs by little, never what has nothing in common', () => {
  assert.equal(nearest('uniforn', ['task-specific', 'uniform']), 'uniform');
  assert.equal(nearest('Tii', ['Ti', 'S', 'B']), 'Ti');
  assert.equal(nearest('S', ['Ti', 'S', 'B']), 'S');
  assert.equal(nearest('9', ['Ti', 'S', 'B']), undefined);
  assert.equal(nearest('flowers', ['nabirds', 'dogs']), undefined);
});
