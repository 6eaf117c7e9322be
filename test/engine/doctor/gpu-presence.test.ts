import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGpuPlausible } from '../../../src/engine/doctor/gpu-presence.js';

const having =
  (...files: string[]) =>
  (file: string) =>
    files.includes(file);

test('a GPU is plausible where a driver has made its device', () => {
  const plausible = (platform: NodeJS.Platform, ...files: string[]) =>
    isGpuPlausible({ platform, environment: {}, exists: having(...files) });
  assert.equal(plausible('linux'), false);
  assert.equal(plausible('linux', '/dev/nvidiactl'), true);
  assert.equal(plausible('linux', '/dev/dxg'), true);
  assert.equal(plausible('darwin', '/dev/nvidia0'), false);
  assert.equal(
    isGpuPlausible({ platform: 'win32', environment: {}, exists: (file) => /nvcuda\.dll$/.test(file) }),
    true,
  );
});

test('hidden GPUs do not count', () => {
  const plausible = (visible: string) =>
    isGpuPlausible({ platform: 'linux', environment: { CUDA_VISIBLE_DEVICES: visible }, exists: () => true });
  assert.deepEqual(['', '-1', '0', '1,0'].map(plausible), [false, false, true, true]);
});
