import assert from 'node:assert/strict';
import { test } from 'node:test';
import { esta } from '../../command-line.js';

test('bench sweep: one network alone is refused', async () => {
  const { status, stdout, stderr } = await esta(['bench', 'sweep', '--model', 'vit_mini_tiny']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /one network alone cannot be stitched/);
});
