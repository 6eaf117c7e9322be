import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { providerFiles } from '../../../src/engine/cuda/builds.js';
import { esta } from '../../command-line.js';
import { providerLibrary } from '../../engine/cuda/registry.js';

test('a folder that is no TensorFlow: one message, a hint, exit status 2', async () => {
  const { status, stdout, stderr } = await esta(['engine', 'install', '--libtensorflow', 'src']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /--libtensorflow: .*src is no TensorFlow: include.tensorflow.c.c_api\.h is missing/);
  assert.match(stderr, /find_spec\('tensorflow'\)/);
});

test('flags of --cuda are refused without it, and do not install TensorFlow', async () => {
  for (const words of [
    ['--from', 'brought'],
    ['--cuda-version', '13'],
  ]) {
    const { status, stdout, stderr } = await esta(['engine', 'install', ...words]);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.match(stderr, /must be provided when using --(from|cuda-version): --cuda/);
  }
});

const onLinux = { skip: `${process.platform} ${process.arch}` !== 'linux x64' && 'the provider is for linux x64' };

test('CUDA from files brought by hand, listed, refused where it cannot compute, and removed', onLinux, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-engines-'));
  const before = process.env['ESTA_ENGINES'];
  t.after(async () => {
    if (before === undefined) delete process.env['ESTA_ENGINES'];
    else process.env['ESTA_ENGINES'] = before;
    await rm(folder, { recursive: true });
  });
  process.env['ESTA_ENGINES'] = folder;
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json');
  // No library that the loader takes: what a machine without CUDA answers.
  for (const name of providerFiles) await writeFile(path.join(folder, name), providerLibrary(version, 12));
  const installed = await esta(['engine', 'install', '--cuda', '--cuda-version', '12', '--from', folder]);
  assert.equal(installed.status, 0, installed.stderr);
  assert.match(installed.stdout, /for CUDA 12 is installed in .*onnxruntime-cuda\.\nIt does not compute yet:\n/);
  const { cuda } = JSON.parse((await esta(['engine', 'list', '--json'])).stdout);
  assert.deepEqual([cuda.runtime, cuda.cuda, cuda.source], [version, 12, folder]);
  const refused = await esta([
    'run',
    'experiments/quickstart.yaml',
    '--device',
    'cuda',
    '--out',
    path.join(folder, 'run'),
  ]);
  assert.deepEqual([refused.status, refused.stdout], [2, '']);
  assert.match(refused.stderr, /onnxruntime does not compute on cuda here: \S/);
  assert.match((await esta(['engine', 'uninstall', 'cuda'])).stdout, /^Removed /);
  assert.equal(JSON.parse((await esta(['engine', 'list', '--json'])).stdout).cuda, undefined);
});
