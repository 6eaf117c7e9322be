import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/shared/random.js';
import { dropsPatches, keptTokens } from '../../src/training/patch-dropout.js';

test('the class token stays, and of the patches the share that is not dropped, each once and in order', () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const { shape, data } = keptTokens(64, 0.75, Random.of(seed, 'patches'));
    assert.deepEqual(shape, [17]);
    assert.equal(data[0], 0);
    for (let index = 1; index < data.length; index++) {
      assert.ok(data[index]! > data[index - 1]! && data[index]! <= 64);
      seen.add(data[index]!);
    }
  }
  assert.equal(seen.size, 64, 'every patch is kept at times');
});

test('patches are dropped until the last fifth of the epochs, and never without a share', () => {
  const epochs = [0, 15, 16, 19];
  assert.deepEqual(
    epochs.map((epoch) => dropsPatches(0.5, epoch, 20)),
    [true, true, false, false],
  );
  assert.ok(epochs.every((epoch) => !dropsPatches(0, epoch, 20)));
});
