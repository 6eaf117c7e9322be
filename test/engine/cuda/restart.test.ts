import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { cudaLibraries } from '../../../src/engine/cuda/libraries.js';
import { variablesFor, wishOf } from '../../../src/engine/cuda/restart.js';

test('a command line asks for CUDA, or lets the program choose', () => {
  const wish = (line: string) => wishOf(line.split(' '));
  for (const line of [
    'bench step --device cuda',
    'run a.yaml --device=cuda',
    'run --device cuda --engine onnxruntime',
  ]) {
    assert.equal(wish(line), 'cuda', line);
  }
  for (const line of ['run a.yaml', 'predict a.jpg --engine auto', 'generate --engine=auto Hello']) {
    assert.equal(wish(line), 'auto', line);
  }
  for (const line of [
    'run a.yaml --device cpu',
    'run --engine onnxruntime',
    'bench step',
    'report runs',
    'run --help',
  ]) {
    assert.equal(wish(line), undefined, line);
  }
  assert.equal(wish('run --device cuda --engine tensorflow'), undefined, 'TensorFlow finds its own libraries');
});

const onLinux = { skip: process.platform !== 'linux' && 'the provider is for Linux' };

test('a process for CUDA gets the installed runtime and the folders of the libraries, once', onLinux, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-restart-'));
  t.after(() => rm(folder, { recursive: true }));
  const environment = { ESTA_ENGINES: folder, CONDA_PREFIX: path.join(folder, 'env'), LD_LIBRARY_PATH: '/before' };
  const asked = ['run', 'a.yaml', '--device', 'cuda'];
  assert.deepEqual(await variablesFor(asked, environment), {}, 'nothing is installed');

  const runtime = path.join(folder, 'onnxruntime-cuda/node_modules/onnxruntime-node');
  await mkdir(runtime, { recursive: true });
  const provider = path.join(folder, 'onnxruntime-cuda/provider.json');
  await writeFile(provider, '{"runtime": "1.29.0", "cuda": 13}');
  assert.deepEqual(await variablesFor(asked, environment), {}, 'the runtime is gone');
  await writeFile(path.join(runtime, 'package.json'), '{}');
  await writeFile(provider, '{}');
  assert.deepEqual(await variablesFor(asked, environment), {}, 'nobody knows what that is');
  await writeFile(provider, '{"runtime": "1.29.0", "cuda": 13}');
  await mkdir(path.join(folder, 'env/lib'), { recursive: true });
  for (const name of cudaLibraries[13]) await writeFile(path.join(folder, 'env/lib', name), '');
  const variables = await variablesFor(asked, environment);
  assert.equal(variables['ESTA_ONNXRUNTIME'], runtime);
  assert.ok(['/before', `/before:${folder}/env/lib`].includes(variables['LD_LIBRARY_PATH'] ?? '/before'));
  assert.ok(Number(variables['UV_THREADPOOL_SIZE']) > 4 * 4, 'a program waits for no image');
  assert.equal((await variablesFor(asked, { ...environment, UV_THREADPOOL_SIZE: '3' }))['UV_THREADPOOL_SIZE'], '3');
  assert.deepEqual(await variablesFor(asked, { ...environment, ...variables }), {}, 'it has them');
  const hidden = { ...environment, CUDA_VISIBLE_DEVICES: '' };
  assert.deepEqual(await variablesFor(['run', 'a.yaml'], hidden), {}, 'no GPU is plausible');
});
