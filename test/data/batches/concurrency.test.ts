import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { forEachLimited } from '../../../src/data/batches/concurrency.js';

test('every item once, at most so many at a time', async () => {
  const seen: number[] = [];
  let running = 0;
  let most = 0;
  const work = async (item: number) => {
    most = Math.max(most, ++running);
    await setImmediate();
    seen.push(item);
    running--;
  };
  await forEachLimited([0, 1, 2, 3, 4, 5, 6], work, 3);
  assert.deepEqual([seen.toSorted(), most], [[0, 1, 2, 3, 4, 5, 6], 3]);
});

test('the first failure stops the rest, and is thrown when nothing is under way any more', async () => {
  const begun: number[] = [];
  let running = 0;
  const work = async (item: number) => {
    begun.push(item);
    running++;
    for (let turn = 0; turn <= item; turn++) await setImmediate();
    running--;
    throw new Error(`item ${item}`);
  };
  await assert.rejects(forEachLimited([0, 1, 2, 3, 4], work, 3), { message: 'item 0' });
  assert.deepEqual([begun, running], [[0, 1, 2], 0]);
});
