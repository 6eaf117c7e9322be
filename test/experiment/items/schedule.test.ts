/** The simulated schedule, against ones that are counted by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate, type Work, workerCounts } from '../../../src/experiment/items/schedule.js';

const work = (id: string, seconds: number, ...waitsFor: string[]): Work => ({ id, seconds, waitsFor });

test('the longest way first; dependencies; a worker more than there is work changes nothing', () => {
  // Two trials: two rates of 3 s and then 5 s; one run of 4 s.
  const all = [work('r1', 3), work('r2', 3), work('f', 5, 'r1', 'r2'), work('g', 4)];
  const on = (workers: number) => simulate(all, { workers, startSeconds: 0 }).makespan;
  assert.equal(on(1), 15);
  assert.equal(on(2), 8, 'both rates at once, then f beside g');
  assert.equal(on(3), 8);
  assert.equal(on(100), 8);
  assert.equal(simulate(all, { workers: 2, startSeconds: 0 }).busySeconds, 15);
  assert.equal(simulate(all, { workers: 1, startSeconds: 1 }).makespan, 19, 'each starts');
});

test('what waits for something that is done is free', () => {
  assert.equal(simulate([work('f', 5, 'done')], { workers: 1, startSeconds: 0 }).makespan, 5);
});

test('ten thousand items on up to a thousand workers stay between the bounds of list scheduling', () => {
  const all = Array.from({ length: 2000 }, (_, trial) => [
    ...[1, 2, 3, 4].map((rate) => work(`${trial}/${rate}`, 100 + trial + rate)),
    work(`${trial}/final`, 200, ...[1, 2, 3, 4].map((rate) => `${trial}/${rate}`)),
  ]).flat();
  assert.equal(all.length, 10_000);
  const times = workerCounts(1000).map((workers) => simulate(all, { workers, startSeconds: 0 }).makespan);
  const total = all.reduce((sum, { seconds }) => sum + seconds, 0);
  assert.equal(times[0], total);
  for (const [index, workers] of workerCounts(1000).entries()) {
    // Graham: no schedule is shorter than its share, and list scheduling adds at most the longest way.
    assert.ok(times[index]! >= total / workers && times[index]! <= total / workers + 2103 + 200);
  }
});

test('numbers of workers: 1, 2, 5 in each decade, and the one that was asked for', () => {
  assert.deepEqual(workerCounts(30), [1, 2, 5, 10, 20, 30]);
  assert.deepEqual(workerCounts(1), [1]);
});

test('what others wait for comes before longer work that nothing waits for', () => {
  // By the longest way: a beside c at first, so that b begins after a second. In the order of the list it would take 15 s.
  const all = [work('c', 4), work('d', 4), work('a', 1), work('b', 10, 'a')];
  assert.equal(simulate(all, { workers: 2, startSeconds: 0 }).makespan, 11);
});
