/** The steps of an installation around a stand-in for npm; the real one takes minutes and is no test. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { installTensorFlow } from '../../../src/engine/tensorflow/install.js';

const onPosix = { skip: process.platform === 'win32' ? 'the stand-in for npm is a shell script' : false };

/** An engines folder with an older installation, and `script` as npm on the PATH. */
async function withNpm(context: TestContext, script: string): Promise<string> {
  const base = await mkdtemp(path.join(tmpdir(), 'esta-install-'));
  const previousPath = process.env['PATH'];
  context.after(async () => {
    process.env['PATH'] = previousPath;
    await rm(base, { recursive: true });
  });
  const npm = path.join(base, 'bin', 'npm');
  await mkdir(path.dirname(npm));
  await writeFile(npm, `#!/bin/sh\n${script}\n`);
  await chmod(npm, 0o755);
  process.env['PATH'] = `${path.dirname(npm)}${path.delimiter}${previousPath}`;
  const folder = path.join(base, 'engines', 'tensorflow');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'older'), '');
  return folder;
}

test('without network: says so, and leaves an older installation alone', onPosix, async (context) => {
  const folder = await withNpm(context, 'echo "npm error getaddrinfo ENOTFOUND registry.npmjs.org"; exit 1');
  const steps: string[] = [];
  await assert.rejects(
    installTensorFlow({ gpu: true, folder }, (step) => steps.push(step)),
    {
      name: 'RequestError',
      message: /npm install .* failed: getaddrinfo ENOTFOUND registry\.npmjs\.org$/,
      hint: /^The npm registry was not reached/,
    },
  );
  assert.deepEqual(steps, [
    `Installing @tensorflow/tfjs-node-gpu 4.22.0 into ${folder} (npm, without install scripts)`,
  ]);
  assert.deepEqual(await readdir(path.dirname(folder)), ['tensorflow']);
  assert.equal(await readFile(path.join(folder, 'older'), 'utf8'), '');
});

test('a download that fails is explained', onPosix, async (context) => {
  const scripts = 'node_modules/@tensorflow/tfjs-node/scripts';
  const download = 'console.error("Error: connect ECONNREFUSED 1.2.3.4:443"); process.exit(1)';
  const folder = await withNpm(context, `mkdir -p ${scripts} && echo '${download}' > ${scripts}/install.js`);
  await assert.rejects(
    installTensorFlow({ gpu: false, folder }, () => {}),
    { message: /failed: Error: connect ECONNREFUSED/, hint: /--libtensorflow DIR/ },
  );
});

test('a wrong --libtensorflow is refused before anything happens', async (context) => {
  const folder = await withNpm(context, 'exit 9');
  const steps: string[] = [];
  await assert.rejects(
    installTensorFlow({ gpu: false, folder, libtensorflow: path.dirname(folder) }, (step) => steps.push(step)),
    { name: 'RequestError', message: /is no TensorFlow/ },
  );
  assert.deepEqual(steps, []);
});
