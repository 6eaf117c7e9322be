import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PrecisionRequest, settlePrecision } from '../../src/engine/precision.js';

const settle = (request: Partial<PrecisionRequest>, environment: NodeJS.ProcessEnv = {}) =>
  settlePrecision({ engine: 'onnxruntime', place: 'cuda', ...request }, environment);

test('without a wish, what the device computes in', () => {
  assert.equal(settle({}), 'tf32');
  assert.equal(settle({ computeCapability: 7.5 }), 'float32', 'a card without TF32');
  assert.equal(settle({}, { NVIDIA_TF32_OVERRIDE: '0' }), 'float32', 'the user has switched it off');
  assert.deepEqual([settle({ place: 'cpu' }), settle({ place: 'webgpu' })], ['float32', 'float32']);
  assert.equal(settle({ engine: 'tensorflow', place: 'gpu' }), 'tf32');
});

test('float32 on a card switches TF32 off before the libraries are loaded', () => {
  const environment: NodeJS.ProcessEnv = {};
  assert.equal(settle({ asked: 'float32' }, environment), 'float32');
  assert.equal(environment['NVIDIA_TF32_OVERRIDE'], '0');
  const untouched: NodeJS.ProcessEnv = {};
  for (const asked of ['tf32', 'mixed'] as const) assert.equal(settle({ asked }, untouched), asked);
  assert.equal(settle({ place: 'cpu', asked: 'float32' }, untouched), 'float32');
  assert.deepEqual(untouched, {});
});

test('what a device cannot compute in is refused', () => {
  for (const place of ['cpu', 'webgpu'] as const) {
    for (const asked of ['tf32', 'mixed'] as const) {
      assert.throws(() => settle({ place, asked }), {
        name: 'RequestError',
        message: `training.precision: ${asked} is not what onnxruntime computes in on the ${place} (float32)`,
        hint: /--device cuda/,
      });
    }
  }
  assert.throws(() => settle({ engine: 'tensorflow', place: 'gpu', asked: 'mixed' }), /\(float32, tf32\)/);
  assert.throws(() => settle({ asked: 'mixed', computeCapability: 7.5 }), /capability 8\.0, this one has 7\.5/);
  assert.throws(() => settle({ asked: 'tf32' }, { NVIDIA_TF32_OVERRIDE: '0' }), /forbids it/);
});
