import assert from 'node:assert/strict';
import { test } from 'node:test';
import { esta } from '../command-line.js';

test('doctor --json tells what works, and the default engine does', async () => {
  const { status, stdout } = await esta(['doctor', '--json']);
  const { engines, versions, machine, automatic } = JSON.parse(stdout);
  assert.equal(status, 0);
  assert.deepEqual(engines[0].result, { works: true, uses: 'cpu', version: versions.onnxruntime, largestError: 0 });
  assert.equal(versions.node, process.versions.node);
  assert.ok(machine.memory.total > 0);
  assert.ok(['onnxruntime', 'tensorflow'].includes(automatic.engine));
});
