/** Where the libraries of a card are looked for, and what is said where they are not. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { loadCardLibraries } from '../../../../src/engine/nvidia/card/libraries.js';
import { RequestError } from '../../../../src/shared/errors.js';
import { buildStandIn, noStandIn } from '../stand-in/stand-in.js';

const skip = noStandIn ?? false;

function refused(message: RegExp, hint: RegExp) {
  return (error: unknown) =>
    error instanceof RequestError &&
    message.test(error.message) &&
    hint.test(error.hint ?? '') &&
    error.exitStatus === 2;
}

test('without a driver nothing is loaded', () => {
  const places = { known: new Set<string>(), installations: [] };
  assert.throws(() => loadCardLibraries(places, {}), refused(/does not find libcuda\.so\.1/, /Install the driver/));
});

test('what is missing is named with the command that brings it', { skip }, (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-card-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['libcuda.so.1', 'libcublas.so.13', 'libcublasLt.so.13']) {
    copyFileSync(path.join(buildStandIn(), name), path.join(folder, name));
  }
  const places = { known: new Set<string>(), installations: [[folder]] };
  assert.throws(
    () => loadCardLibraries(places, {}),
    refused(/: no libnvrtc\.so\.13$/, /pip install nvidia-cublas nvidia-cuda-nvrtc`/),
  );
});

test('libraries of several folders are loaded, with what the compiler opens by its name', { skip }, (t) => {
  const root = mkdtempSync(path.join(tmpdir(), 'esta-card-'));
  t.after(() => rmSync(root, { recursive: true }));
  const [driver, blas, compiler] = ['driver', 'cublas/lib', 'cuda_nvrtc/lib'].map((name) => path.join(root, name));
  const place = (folder: string, ...names: string[]) => {
    mkdirSync(folder, { recursive: true });
    for (const name of names) copyFileSync(path.join(buildStandIn(), 'libcuda.so.1'), path.join(folder, name));
  };
  place(driver!, 'libcuda.so.1');
  place(blas!, 'libcublas.so.13', 'libcublasLt.so.13');
  place(compiler!, 'libnvrtc.so.13', 'libnvrtc-builtins.so.13.0');
  const libraries = loadCardLibraries({ known: new Set(), installations: [[driver!], [blas!, compiler!]] }, {});
  const version = [0];
  assert.equal(libraries.driver.func('int cuDriverGetVersion(_Out_ int *version)')(version), 0);
  assert.deepEqual(version, [13_000]);
  assert.equal(
    libraries.cublas.func('const char *cublasGetStatusString(int status)')(15),
    'CUBLAS_STATUS_NOT_SUPPORTED',
  );
  assert.equal(libraries.nvrtc.func('int nvrtcGetNumSupportedArchs(_Out_ int *count)')(version), 0);
});

test('a card that CUDA 13 writes no code for takes the libraries of CUDA 12', { skip }, (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-card-'));
  process.env['STAND_IN_OLD'] = '1';
  t.after(() => {
    delete process.env['STAND_IN_OLD'];
    rmSync(folder, { recursive: true });
  });
  const place = (...names: string[]) => {
    for (const name of names) copyFileSync(path.join(buildStandIn(), 'libcuda.so.1'), path.join(folder, name));
  };
  const places = { known: new Set<string>(), installations: [[folder]] };
  place('libcuda.so.1', ...['libcublas', 'libcublasLt', 'libnvrtc'].map((name) => `${name}.so.13`));
  assert.throws(() => loadCardLibraries(places, {}), refused(/no libcublasLt\.so\.12/, /nvidia-cublas-cu12/));
  place(...['libcublas', 'libcublasLt', 'libnvrtc'].map((name) => `${name}.so.12`));
  loadCardLibraries(places, {});
});

test('a library that is broken is named', { skip }, (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-card-'));
  t.after(() => rmSync(folder, { recursive: true }));
  copyFileSync(path.join(buildStandIn(), 'prelude.h'), path.join(folder, 'libcuda.so.1'));
  const places = { known: new Set<string>(), installations: [[folder]] };
  assert.throws(() => loadCardLibraries(places, {}), refused(/libcuda\.so\.1 cannot be loaded: /, /esta doctor/));
});
