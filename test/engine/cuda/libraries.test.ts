import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { cudaLibraries, findLibraries, libraryPlaces } from '../../../src/engine/cuda/libraries.js';

const names = cudaLibraries[13];
const cudnn = 'libcudnn.so.9';
const toolkit = names.filter((name) => name !== cudnn);

interface Machine {
  /** What the tests put below it is all that there is. */
  readonly root: string;
  has(folder: string, files: readonly string[]): Promise<string>;
  find(environment?: NodeJS.ProcessEnv, cache?: string): ReturnType<typeof findLibraries>;
}

async function machine(t: TestContext): Promise<Machine> {
  const root = await mkdtemp(path.join(tmpdir(), 'esta-libraries-'));
  t.after(() => rm(root, { recursive: true }));
  return {
    root,
    has: async (folder, files) => {
      const full = path.join(root, folder);
      await mkdir(full, { recursive: true });
      for (const name of files) await writeFile(path.join(full, name), '');
      return full;
    },
    find: (environment = {}, cache = '') => {
      const places = { environment, root, home: path.join(root, 'home'), workingFolder: path.join(root, 'work') };
      return findLibraries(names, libraryPlaces({ ...places, loaderCache: () => cache }));
    },
  };
}

test('a machine without CUDA lacks all of it', async (t) => {
  const { find } = await machine(t);
  assert.deepEqual(find(), { folders: [], missing: names });
});

test("the wheels that PyTorch brings: CUDA 13's in one folder, cuDNN in another", async (t) => {
  const { has, find } = await machine(t);
  const packages = 'home/torch/lib/python3.12/site-packages/nvidia';
  const folders = [await has(`${packages}/cu13/lib`, toolkit), await has(`${packages}/cudnn/lib`, [cudnn])];
  assert.deepEqual(find().missing, names, 'nothing points to it');
  const environment = { VIRTUAL_ENV: path.join(folders[0]!, '../../../../../../..', 'torch') };
  assert.deepEqual(find(environment), { folders, missing: [] });
});

test('a Python on the PATH, an environment of the working folder, and conda are looked at', async (t) => {
  for (const [place, environment] of [
    ['opt/py', (root: string) => ({ PATH: `/nowhere:${root}/opt/py/bin` })],
    ['work/.venv', () => ({})],
    ['home/miniforge3', () => ({})],
  ] as const) {
    const { root, has, find } = await machine(t);
    await has(`${place}/bin`, ['python3']);
    const folder = await has(`${place}/lib/python3.11/site-packages/nvidia/all/lib`, names);
    assert.deepEqual(find(environment(root)), { folders: [folder], missing: [] }, place);
  }
  const { root, has, find } = await machine(t);
  const lib = await has('envs/gpu/lib', names);
  assert.deepEqual(find({ CONDA_PREFIX: path.join(root, 'envs/gpu') }), { folders: [lib], missing: [] });
});

test('one installation that has all is preferred to pieces of several', async (t) => {
  const { root, has, find } = await machine(t);
  await has('usr/local/cuda/lib64', toolkit);
  const whole = await has('opt/env/lib', names);
  assert.deepEqual(find({ CONDA_PREFIX: path.join(root, 'opt/env') }).folders, [whole]);
  const pieces = [path.join(root, 'usr/local/cuda/lib64'), await has('usr/local/lib', [])];
  assert.deepEqual(find(), { folders: pieces.slice(0, 1), missing: [cudnn] });
});

test('what the loader finds on its own needs no folder', async (t) => {
  const { root, has, find } = await machine(t);
  const cache = `2 libs found in cache\n${names.map((name) => `\t${name} (libc6,x86-64) => /x/${name}`).join('\n')}\n`;
  assert.deepEqual(find({}, cache), { folders: [], missing: [] });
  await has('given', names);
  assert.deepEqual(find({ LD_LIBRARY_PATH: path.join(root, 'given') }), { folders: [], missing: [] });
  await has('usr/lib/x86_64-linux-gnu', toolkit);
  assert.deepEqual(find(), { folders: [], missing: [cudnn] });
});
