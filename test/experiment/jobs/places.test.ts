/** How processes share a machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkJobs, jobsOf, placesOf } from '../../../src/experiment/jobs/places.js';
import { RequestError } from '../../../src/shared/errors.js';

const cores = (count: number, from = 0) => Array.from({ length: count }, (_, core) => from + core);

test('cores are divided and bound, GPUs go round', () => {
  assert.deepEqual(placesOf({ cores: [4, 5, 6, 7, 8], gpus: ['0', '1'] }, 2), [
    { threads: 2, cores: [4, 5], gpu: '0' },
    { threads: 2, cores: [6, 7], gpu: '1' },
  ]);
  const gpus = placesOf({ cores: cores(8), gpus: ['GPU-a', 'GPU-b'] }, 4).map(({ gpu }) => gpu);
  assert.deepEqual(gpus, ['GPU-a', 'GPU-b', 'GPU-a', 'GPU-b']);
});

test('more threads than cores are not bound', () => {
  assert.deepEqual(placesOf({ cores: cores(2), gpus: [] }, 2, 2), [{ threads: 2 }, { threads: 2 }]);
  assert.deepEqual(placesOf({ cores: cores(1), gpus: [] }, 2), [{ threads: 1 }, { threads: 1 }]);
});

test('auto: by cores or GPUs, memory, and work', () => {
  const machine = { cores: cores(16), gpus: [], freeBytes: 10e9 };
  const needs = { work: 100, processBytes: 1e9 };
  assert.equal(jobsOf('auto', machine, needs), 8, '80 % of 10 GB');
  assert.equal(jobsOf('auto', machine, { ...needs, processBytes: 1e8 }), 16);
  assert.equal(jobsOf('auto', machine, { ...needs, processBytes: 1e8, threads: 4 }), 4);
  assert.equal(jobsOf('auto', { ...machine, gpus: ['0', '1'] }, needs), 2);
  assert.equal(jobsOf('auto', machine, { ...needs, work: 3 }), 3);
  assert.equal(jobsOf('auto', { ...machine, freeBytes: 1e6 }, needs), 1);
  assert.equal(jobsOf('3', machine, needs), 3);
});

test('numbers of processes are checked', () => {
  assert.equal(checkJobs('12'), '12');
  for (const wrong of ['0', '-1', 'two', '1.5', '']) assert.throws(() => checkJobs(wrong), RequestError);
});
