import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { installCuda } from '../../src/engine/cuda/install.js';
import { enginesFolder, explainEngineError, whileAlone } from '../../src/engine/engines-folder.js';
import { uninstallEngine } from '../../src/engine/installed-engines.js';
import { installTensorFlow } from '../../src/engine/tensorflow/install.js';
import { RequestError } from '../../src/shared/errors.js';
import { thisProcess } from '../../src/shared/processes/process-mark.js';

test('engines are kept in $ESTA_ENGINES, else in the data folder of the user', () => {
  assert.equal(enginesFolder({ ESTA_ENGINES: '/opt/engines', XDG_DATA_HOME: '/data' }), '/opt/engines');
  assert.equal(enginesFolder({ XDG_DATA_HOME: '/data' }), '/data/esta/engines');
  assert.match(enginesFolder({}), /\.local.share.esta.engines$/);
});

test('a folder in which nothing can be installed or removed is refused with the variable that names another', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-engines-'));
  const before = process.env['ESTA_ENGINES'];
  t.after(() => {
    if (before === undefined) delete process.env['ESTA_ENGINES'];
    else process.env['ESTA_ENGINES'] = before;
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  process.env['ESTA_ENGINES'] = file;
  const attempts = [
    () => installCuda({ cuda: 13, platform: 'linux x64' }, () => {}),
    () => installTensorFlow({ gpu: false }, () => {}),
    () => uninstallEngine('cuda'),
    () => uninstallEngine('tensorflow'),
  ];
  for (const attempt of attempts) {
    await assert.rejects(attempt(), (error) => {
      assert.ok(error instanceof RequestError, String(error));
      assert.equal(error.message, `${file} cannot be a folder: it, or a part of its path, is a file`);
      assert.match(error.hint!, /set ESTA_ENGINES to a folder elsewhere/);
      return true;
    });
  }
});

test('a disk that refuses an engine is explained; what is no disk is left as it is', () => {
  const of = (code: string) => explainEngineError(Object.assign(new Error(code), { code }), '/e/cuda') as RequestError;
  assert.equal(of('EACCES').message, '/e/cuda cannot be written (EACCES)');
  assert.equal(of('ENOSPC').message, 'no space left on the device for /e/cuda: an engine takes up to 1 GB');
  assert.match(of('EDQUOT').hint!, /^Free some space, or set ESTA_ENGINES/);
  const refused = new RequestError('the addon was installed but does not work', 'a hint');
  assert.equal(explainEngineError(refused, '/e/cuda'), refused);
});

test('an engine is installed by one process at a time; what has died holds nothing up', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-engines-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [engine, lock] = [path.join(folder, 'deep/engine'), path.join(folder, 'deep/engine.installing')];
  await whileAlone(engine, async () => {
    await assert.rejects(
      whileAlone(engine, async () => {}),
      {
        ...{ name: 'RequestError', message: `${engine} is being installed by process ${process.pid} on this machine` },
        hint: `Run the command again when that has ended; if nothing does, remove ${lock}.`,
      },
    );
  });
  assert.equal(existsSync(lock), false);
  for (const left of [JSON.stringify({ ...thisProcess(), pid: 2 ** 22 + 1 }), '', '{"host": ']) {
    writeFileSync(lock, left);
    assert.equal(await whileAlone(engine, async () => 'made'), 'made');
    assert.equal(existsSync(lock), false);
  }
});
