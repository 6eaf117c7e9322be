import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { addonVersion, findAddon } from '../../../src/engine/tensorflow/location.js';
import { projectRoot } from '../../command-line.js';

async function fakePackage(root: string, name: string, version: string): Promise<void> {
  const folder = path.join(root, 'node_modules', name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name, version }));
}

test('finds the GPU package before the CPU one, the first folder before the second', async (context) => {
  const base = await realpath(await mkdtemp(path.join(tmpdir(), 'esta-location-')));
  context.after(() => rm(base, { recursive: true }));
  const [first, second] = [path.join(base, 'first'), path.join(base, 'second')];
  await mkdir(first);
  assert.equal(findAddon([first, second]), undefined);
  await fakePackage(second, '@tensorflow/tfjs-node', '4.22.0');
  assert.equal(findAddon([first, second])?.packageName, '@tensorflow/tfjs-node');
  await fakePackage(second, '@tensorflow/tfjs-node-gpu', '4.22.0');
  assert.equal(findAddon([first, second])?.packageName, '@tensorflow/tfjs-node-gpu');
  await fakePackage(first, '@tensorflow/tfjs-node', '4.0.0');
  assert.deepEqual(findAddon([first, second]), {
    packageName: '@tensorflow/tfjs-node',
    version: '4.0.0',
    folder: path.join(first, 'node_modules', '@tensorflow', 'tfjs-node'),
  });
});

test('the addon has the version of the TensorFlow.js that the project depends on', async () => {
  const { dependencies } = JSON.parse(await readFile(path.join(projectRoot, 'package.json'), 'utf8'));
  assert.equal(dependencies['@tensorflow/tfjs'], addonVersion);
});
