/** Costs of layers by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as cost from '../../src/models/cost.js';

test('a low-rank update costs two thin linear layers', () => {
  assert.equal(cost.lowRankFlops(10, 3, 5, 2), 10 * (3 * 2 + 2 * 5));
  assert.equal(cost.lowRankParams(3, 5, 2), 16);
});

test('a linear layer has a bias unless it is said not to', () => {
  assert.equal(cost.linearParams(3, 5), 20);
  assert.equal(cost.linearParams(3, 5, false), 15);
});
