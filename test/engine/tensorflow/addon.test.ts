import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadAddon } from '../../../src/engine/tensorflow/addon.js';
import { addonVersion } from '../../../src/engine/tensorflow/location.js';
import { RequestError } from '../../../src/shared/errors.js';

const packageName = '@tensorflow/tfjs-node';

test('another version is refused before it is loaded', () => {
  const location = { packageName, version: '3.21.1', folder: '/nowhere' };
  assert.throws(() => loadAddon(location), {
    name: 'RequestError',
    message: `/nowhere is @tensorflow/tfjs-node 3.21.1; ${addonVersion} is needed`,
  });
});

const failures = {
  'The Node.js native addon module (tfjs_binding.node) can not be found at path: x': /has no compiled addon/,
  'libtensorflow_cc.so.2: cannot open shared object file': /does not load: libtensorflow_cc\.so\.2: cannot open/,
};
for (const [thrown, expected] of Object.entries(failures)) {
  test(`an addon that does not load says what to run: ${thrown}`, async (context) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'esta-addon-'));
    context.after(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: packageName, main: 'index.js' }));
    await writeFile(path.join(folder, 'index.js'), `throw new Error(${JSON.stringify(thrown)})`);
    for (const name of ['tfjs', 'tfjs-core']) {
      await mkdir(path.join(folder, 'node_modules', '@tensorflow', name), { recursive: true });
      await writeFile(path.join(folder, 'node_modules', '@tensorflow', name, 'index.js'), '');
    }
    assert.throws(
      () => loadAddon({ packageName, version: addonVersion, folder }),
      (error: unknown) =>
        error instanceof RequestError && expected.test(error.message) && /esta engine install/.test(error.hint ?? ''),
    );
  });
}
