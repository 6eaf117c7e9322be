/** What C functions that are called have of a stack. */
import assert from 'node:assert/strict';
import test from 'node:test';
import koffi from '../../src/engine/koffi.js';

test('libraries that are called have the stack of a thread', () => {
  const { sync_stack_size: own, async_stack_size: aside } = koffi.config();
  assert.deepEqual([own, aside], [8 * 2 ** 20, 8 * 2 ** 20]);
});
