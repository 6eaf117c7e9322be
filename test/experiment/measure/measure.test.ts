/** What a machine is called, and when it has measured already what is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRuntime } from '../../../src/bench/latency/exported-file.js';
import { alreadyMeasured, defaultMachine } from '../../../src/experiment/measure/measure.js';
import { machine, measuredRun } from '../../run-folder/measured/measured-fixture.js';

test('a machine is called as its host, and as what differs from all of its processor', () => {
  assert.equal(defaultMachine({}, 'lab-7.local'), 'lab-7.local');
  assert.equal(defaultMachine({ device: 'cpu' }, 'lab'), 'lab');
  assert.equal(defaultMachine({ device: 'webgpu' }, 'my  laptop'), 'my-laptop-webgpu');
  assert.equal(defaultMachine({ device: 'webgpu', threads: 2 }, '-x'), 'x-webgpu-2-threads');
  assert.equal(defaultMachine({ threads: 1 }, '...'), 'machine-1-threads');
});

test('a table answers a request of its stitches and batches on the same runtime', () => {
  const request = { machine: 'laptop', batches: [1, 8], threads: 2 };
  const laptop = { ...machine('laptop'), runtime: describeRuntime(request) };
  const run = measuredRun(machine('phone'), laptop);
  assert.equal(alreadyMeasured(run, [3, 5, 7], request), laptop);
  assert.equal(alreadyMeasured(run, [7], { ...request, batches: [8] }), laptop);
  assert.equal(alreadyMeasured(run, [3, 4], request), undefined, 'stitch 4');
  assert.equal(alreadyMeasured(run, [3], { ...request, batches: [1, 4] }), undefined, 'batches of 4');
  assert.equal(alreadyMeasured(run, [3], { ...request, threads: 1 }), undefined, 'another number of threads');
  assert.equal(alreadyMeasured(run, [3], { ...request, machine: 'server' }), undefined);
  assert.equal(alreadyMeasured({ ...run, result: { ...run.result, seed: 1 } }, [3], request), undefined, 'a new trial');
});
