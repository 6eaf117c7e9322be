import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readLibTensorFlow } from '../../../src/engine/tensorflow/libtensorflow.js';

const headers = ['include/tensorflow/c/c_api.h', 'include/tensorflow/c/eager/c_api.h'];

async function folderWith(context: TestContext, files: readonly string[]): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'esta-libtensorflow-')));
  context.after(() => rm(folder, { recursive: true }));
  for (const file of files) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), '');
  }
  return folder;
}

test('reads the folder of a wheel, also from the site-packages above it', async (context) => {
  const files = [...headers, 'libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  const sitePackages = await folderWith(
    context,
    files.map((file) => `tensorflow/${file}`),
  );
  const wheel = path.join(sitePackages, 'tensorflow');
  const expected = {
    include: path.join(wheel, 'include'),
    libraryFolder: wheel,
    library: 'libtensorflow_cc.so.2',
    framework: 'libtensorflow_framework.so.2',
  };
  assert.deepEqual(readLibTensorFlow(wheel), expected);
  assert.deepEqual(readLibTensorFlow(sitePackages), expected);
});

test('reads the unpacked archive of the C library', async (context) => {
  const files = [...headers, 'lib/libtensorflow.so.2', 'lib/libtensorflow_framework.so.2'];
  const folder = await folderWith(context, files);
  const { libraryFolder, library } = readLibTensorFlow(folder);
  assert.deepEqual([libraryFolder, library], [path.join(folder, 'lib'), 'libtensorflow.so.2']);
});

test('names what is missing', async (context) => {
  assert.throws(() => readLibTensorFlow('/does/not/exist'), /--libtensorflow: .*exist does not exist/);
  const withoutLibraries = await folderWith(context, headers);
  assert.throws(() => readLibTensorFlow(withoutLibraries), /libtensorflow_framework\.so\.2 is missing/);
  const withoutHeaders = await folderWith(context, ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']);
  assert.throws(() => readLibTensorFlow(withoutHeaders), /c_api\.h is missing/);
});
