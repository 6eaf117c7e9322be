import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interrupted } from '../../src/shared/errors.js';
import { stopIfAborted } from '../../src/training/runtime.js';

test('a user who asked to stop is told what was under way, and that it is saved', () => {
  const controller = new AbortController();
  stopIfAborted(controller, 'testing');
  controller.abort();
  assert.throws(
    () => stopIfAborted(controller, 'testing'),
    (error) => error instanceof Interrupted && error.message === 'stopped in testing; what was trained is saved',
  );
});
