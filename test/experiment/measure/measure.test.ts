/** What a machine is called. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultMachine } from '../../../src/experiment/measure/measure.js';

test('a machine is called as its host, and as what differs from all of its processor', () => {
  assert.equal(defaultMachine({}, 'lab-7.local'), 'lab-7.local');
  assert.equal(defaultMachine({ device: 'cpu' }, 'lab'), 'lab');
  assert.equal(defaultMachine({ device: 'webgpu' }, 'my  laptop'), 'my-laptop-webgpu');
  assert.equal(defaultMachine({ device: 'webgpu', threads: 2 }, '-x'), 'x-webgpu-2-threads');
  assert.equal(defaultMachine({ threads: 1 }, '...'), 'machine-1-threads');
});
