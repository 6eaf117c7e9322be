/** How processes share a machine. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import {
  checkJobs,
  coresIn,
  freeBytes,
  jobsOf,
  mayUseGpus,
  placesOf,
  thisMachine,
} from '../../../src/experiment/jobs/places.js';
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

test('a GPU that no driver lists is one, and is left as it is', () => {
  assert.deepEqual(placesOf({ cores: cores(2), gpus: [undefined] }, 2), [
    { threads: 1, cores: [0] },
    { threads: 1, cores: [1] },
  ]);
  const machine = { cores: cores(16), gpus: [undefined], freeBytes: 1e12 };
  assert.equal(jobsOf('auto', machine, { work: 100, processBytes: 1e8, stepMacs: 3e12 }), 1);
});

test('more threads than cores are not bound', () => {
  assert.deepEqual(placesOf({ cores: cores(2), gpus: [] }, 2, 2), [{ threads: 2 }, { threads: 2 }]);
  assert.deepEqual(placesOf({ cores: cores(1), gpus: [] }, 2), [{ threads: 1 }, { threads: 1 }]);
  const exactly = placesOf({ cores: cores(4), gpus: [] }, 2, 2).map((place) => place.cores);
  assert.deepEqual(exactly, [
    [0, 1],
    [2, 3],
  ]);
});

test('auto: by cores or GPUs, memory, and work', () => {
  const machine = { cores: cores(16), gpus: [], freeBytes: 10e9 };
  const needs = { work: 100, processBytes: 1e9, stepMacs: 3e12 };
  assert.equal(jobsOf('auto', machine, needs), 8, '80 % of 10 GB');
  assert.equal(jobsOf('auto', machine, { ...needs, processBytes: 1e8 }), 16);
  assert.equal(jobsOf('auto', machine, { ...needs, processBytes: 1e8, threads: 4 }), 4);
  assert.equal(jobsOf('auto', { ...machine, gpus: ['0', '1'] }, needs), 2);
  assert.equal(jobsOf('auto', machine, { ...needs, work: 3 }), 3);
  assert.equal(jobsOf('auto', { ...machine, freeBytes: 1e6 }, needs), 1);
  assert.equal(jobsOf('3', machine, needs), 3);
  const small = { ...needs, processBytes: 1e8, stepMacs: 2e10 };
  assert.equal(jobsOf('auto', { ...machine, gpus: ['0', '1'] }, small), 6, 'small steps share a card');
  assert.equal(jobsOf('auto', { ...machine, cores: cores(4), gpus: ['0', '1'] }, small), 4, 'a core for each');
  assert.equal(jobsOf('auto', { ...machine, cores: cores(1), gpus: ['0', '1'] }, small), 2, 'no card is left alone');
});

test('numbers of processes are checked', () => {
  for (const right of ['1', '12', '9999', 'auto']) assert.equal(checkJobs(right), right);
  for (const wrong of ['0', '-1', 'two', '1.5', '', '10000', '1x', 'x1'])
    assert.throws(() => checkJobs(wrong), RequestError);
});

test('cores in a list as the kernel writes it', () => {
  assert.deepEqual(coresIn('0-3,8'), [0, 1, 2, 3, 8]);
  assert.deepEqual(coresIn('5'), [5]);
  assert.deepEqual(coresIn('0,10-12'), [0, 10, 11, 12]);
});

test('this machine: the cores that this process may use, and the GPUs that it sees where they compute', (t) => {
  const before = process.env['CUDA_VISIBLE_DEVICES'];
  t.after(() => {
    if (before === undefined) delete process.env['CUDA_VISIBLE_DEVICES'];
    else process.env['CUDA_VISIBLE_DEVICES'] = before;
  });
  const { cores: own, freeBytes } = thisMachine(false);
  assert.equal(own.length, availableParallelism());
  assert.ok(own.every((core, index) => Number.isInteger(core) && core >= index) && freeBytes > 0, `${own}`);
  const gpus = (visible: string | undefined, usesGpus = true) => {
    if (visible === undefined) delete process.env['CUDA_VISIBLE_DEVICES'];
    else process.env['CUDA_VISIBLE_DEVICES'] = visible;
    return thisMachine(usesGpus).gpus;
  };
  assert.deepEqual([gpus('1,GPU-a'), gpus(''), gpus('0', false)], [['1', 'GPU-a'], [], []]);
  // CUDA sees those before the first that is none.
  assert.deepEqual([gpus('0,-1,1'), gpus('0,,1')], [['0'], ['0']]);
  let listed: (string | undefined)[] = [undefined];
  try {
    listed = readdirSync('/proc/driver/nvidia/gpus').map((_, index) => `${index}`);
  } catch {} // no driver lists any
  assert.deepEqual(gpus(undefined), listed);
});

test('GPUs are given to what may compute on one', () => {
  const cases = [
    ['auto', undefined, true, true],
    ['auto', undefined, false, false],
    ['auto', 'cpu', true, false],
    ['auto', 'cuda', false, true],
    ['onnxruntime', undefined, true, false],
    ['onnxruntime', 'webgpu', false, true],
    ['nvidia', undefined, false, true],
    ['tensorflow', undefined, true, true],
    ['tensorflow', undefined, false, false],
    ['tensorflow', 'cpu', true, false],
  ] as const;
  for (const [engine, device, isThere, expected] of cases) {
    assert.equal(mayUseGpus(engine, device, isThere), expected, `${engine} ${device} ${isThere}`);
  }
});

test('in a container, memory counts up to its limit', () => {
  assert.equal(freeBytes(200e9, 4e9), 4e9);
  assert.equal(freeBytes(200e9, 2 ** 64), 200e9, 'as Linux says where there is no limit');
  assert.equal(freeBytes(3e9, 4e9), 3e9);
  for (const unknown of [0, undefined]) assert.equal(freeBytes(200e9, unknown), 200e9);
});
