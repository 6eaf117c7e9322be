import assert from 'node:assert/strict';
import { test } from 'node:test';
import { esta } from '../../command-line.js';

test('a folder that is no TensorFlow: one message, a hint, exit status 2', async () => {
  const { status, stdout, stderr } = await esta(['engine', 'install', '--libtensorflow', 'src']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /--libtensorflow: .*src is no TensorFlow: include.tensorflow.c.c_api\.h is missing/);
  assert.match(stderr, /find_spec\('tensorflow'\)/);
});
