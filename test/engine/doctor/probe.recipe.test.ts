import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProbe, probeEngine } from '../../../src/engine/doctor/probe.js';

test('the default engine works on the CPU', async () => {
  const result = await probeEngine('onnxruntime', 'cpu');
  assert.ok(result.works, JSON.stringify(result));
  assert.deepEqual([result.uses, result.largestError], ['cpu', 0]);
});

test('an engine that is not there is a result, not an error', async () => {
  const result = await probeEngine('tensorflow', 'cpu', { folder: '/nowhere' });
  assert.deepEqual(result, { works: false, reason: 'the TensorFlow engine is not installed' });
});

test('reads the answer below what native libraries print', () => {
  const answer = '{"works":false,"reason":"no adapter"}';
  assert.deepEqual(parseProbe({ stdout: `a driver says hello\n${answer}\n`, stderr: '' }, 'exit status 0'), {
    works: false,
    reason: 'no adapter',
  });
});

test('a crash is a result too', () => {
  assert.deepEqual(parseProbe({ stdout: 'half a', stderr: 'warning\nassertion failed\n' }, 'SIGABRT'), {
    works: false,
    reason: 'the process was ended by SIGABRT: assertion failed',
  });
});

test('a check that does not answer in time says so', async () => {
  assert.deepEqual(await probeEngine('onnxruntime', 'cpu', { timeout: 5 }), {
    works: false,
    reason: 'the process was ended by its time limit of 0.005 s',
  });
});
