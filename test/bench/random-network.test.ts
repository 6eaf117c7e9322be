import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeatedNormals } from '../../src/bench/random-network.js';
import { Random } from '../../src/shared/random.js';

test('numbers of large tensors come again, in other columns and other tensors', () => {
  const source = repeatedNormals(Random.of(0));
  const [one, other] = [source.truncatedNormal(100_000, 0.5), source.truncatedNormal(100_000, 0.5)];
  const drawn = Random.of(0).truncatedNormal(10, 0.5);
  assert.deepEqual(one.subarray(0, 10), drawn);
  assert.notDeepEqual(one.subarray(0, 768), other.subarray(0, 768));
  for (const width of [768, 1024, 4096])
    assert.notDeepEqual(one.subarray(0, width), one.subarray(16 * width, 17 * width));
  const square = one.reduce((sum, number) => sum + number ** 2, 0) / one.length;
  assert.ok(Math.abs(Math.sqrt(square) - 0.5 * 0.88) < 0.005, 'the deviation of a normal cut at two deviations');
});
