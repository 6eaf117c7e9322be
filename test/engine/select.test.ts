import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine } from '../../src/engine/select.js';

test('onnxruntime, and auto on a machine without a GPU for TensorFlow', async () => {
  for (const engine of [await createEngine('onnxruntime'), await createEngine('auto', { device: 'cpu', threads: 1 })]) {
    assert.equal(engine.name, 'onnxruntime');
    assert.match(engine.device, /^cpu/);
    await engine.dispose();
  }
});

test('tensorflow has no webgpu', async () => {
  await assert.rejects(createEngine('tensorflow', { device: 'webgpu' }), { name: 'RequestError', hint: /onnxruntime/ });
});
