import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import type { Engine } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/select.js';
import { RequestError } from '../../src/shared/errors.js';

test('onnxruntime, and auto on a machine without a GPU for TensorFlow', async () => {
  for (const engine of [await createEngine('onnxruntime'), await createEngine('auto', { device: 'cpu', threads: 1 })]) {
    assert.equal(engine.name, 'onnxruntime');
    assert.match(engine.device, /^cpu/);
    await engine.dispose();
  }
});

test('an operator takes all cores unless told otherwise', async () => {
  const engine = await createEngine('onnxruntime', { device: 'cpu' });
  assert.match(engine.device, new RegExp(`^cpu, ${availableParallelism()} threads?$`));
  await engine.dispose();
});

test('tensorflow has no webgpu', async () => {
  await assert.rejects(createEngine('tensorflow', { device: 'webgpu' }), { name: 'RequestError', hint: /onnxruntime/ });
});

test('a device that does not work is refused before anything is computed', async () => {
  const result = await createEngine('onnxruntime', { device: 'cuda' }).catch((error: unknown) => error);
  if (result instanceof RequestError) assert.match(result.message, /^onnxruntime does not compute on cuda here: \S/);
  else assert.match((result as Engine).device, /^cuda/, 'this machine has one');
});
