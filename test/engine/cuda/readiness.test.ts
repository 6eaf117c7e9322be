import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Driver } from '../../../src/engine/cuda/driver.js';
import type { InstalledCuda } from '../../../src/engine/cuda/installed.js';
import { cudaLibraries } from '../../../src/engine/cuda/libraries.js';
import { assess, suggestedCuda } from '../../../src/engine/cuda/readiness.js';

const installed: InstalledCuda = { runtime: '1.29.0', cuda: 13, source: 'a package', files: {} };
const driver = (version: string): Driver => ({ version, cards: [] });
const having = (...names: string[]) => ({ known: new Set(names), installations: [] });
const whole = having('libcuda.so.1', ...cudaLibraries[13]);

/** What is missing, and what brings it. */
const lacking = (given: Partial<Parameters<typeof assess>[0]>) =>
  assess({ driver: driver('580.95.05'), installed, places: whole, ...given }).missing.map(
    ({ what, remedy }) => `${what}: ${remedy}`,
  );

test('nothing is missing where all of it is there', () => {
  assert.deepEqual(lacking({}), []);
});

test('every missing piece comes with what brings it', () => {
  const [none] = lacking({ driver: undefined, places: having(...cudaLibraries[13]) });
  assert.match(none!, /^no NVIDIA driver is loaded: .*ubuntu-drivers install/);
  assert.match(lacking({ driver: driver('550.54') })[0]!, /is 550\.54; CUDA 13 needs 580\.65.*--cuda-version 12/);
  assert.match(lacking({ driver: driver('470.1') })[0]!, /CUDA 13 needs 580\.65 or newer: Update it\.$/);
  assert.match(lacking({ places: having(...cudaLibraries[13]) })[0]!, /does not find libcuda\.so\.1.*--gpus all/);
  assert.match(lacking({ installed: undefined })[0]!, /provider is not installed: Run `esta engine install --cuda`/);
  const [wheels, ...more] = lacking({ places: having('libcuda.so.1', 'libcudart.so.13', 'libcurand.so.10') });
  assert.match(wheels!, /^no libcublas\.so\.13, libcublasLt\.so\.13, libcufft\.so\.12, libcudnn\.so\.9: /);
  assert.match(wheels!, /pip install nvidia-cublas nvidia-cufft nvidia-cudnn-cu13`/);
  assert.deepEqual(more, []);
  const [twelve] = lacking({ installed: { ...installed, cuda: 12 }, places: having('libcuda.so.1') });
  assert.match(twelve!, /pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12 .* nvidia-cudnn-cu12`/);
});

test('the CUDA that is installed fits the libraries that are here, else the driver', () => {
  assert.equal(suggestedCuda(driver('580.95'), having(...cudaLibraries[12])), 12);
  assert.equal(suggestedCuda(driver('550.54'), whole), 13);
  assert.equal(suggestedCuda(driver('550.54'), having()), 12);
  assert.equal(suggestedCuda(driver('580.95'), having()), 13);
  assert.equal(suggestedCuda(undefined, having()), 13);
});
