import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenBackend } from '../../../../src/engine/onnx/programs/choose-backend.js';
import { whyNotPlaced } from '../../../../src/engine/onnx/programs/placement.js';

const place = { threads: 1, precision: 'float32', sharesArena: false } as const;
const skip = (await whyNotPlaced('cuda')) === undefined && 'CUDA works here';

test('where the C API does not compute with CUDA, onnxruntime-node is taken, and there is a reason', {
  skip,
}, async () => {
  const { backend, reason } = await chosenBackend(undefined, { ...place, device: 'cuda' });
  assert.equal(backend.keepsValues, false);
  assert.match(reason ?? '', /CUDA|cannot open shared object file/);
  await assert.rejects(
    chosenBackend('native', { ...place, device: 'cuda' }),
    /CUDA|cannot open shared object file/,
    'who asks for it gets the error',
  );
});

test('on the CPU nothing is lost, and there is no reason', async () => {
  const { backend, reason } = await chosenBackend(undefined, { ...place, device: 'cpu' });
  assert.deepEqual([backend.keepsValues, reason], [true, undefined]);
});
