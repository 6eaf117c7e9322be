/** The install script of onnxruntime-node itself, as `npm install --global` runs it after ours. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './command-line.js';

test('an installation downloads nothing, unless it is told to', async (t) => {
  const packages = path.join(await mkdtemp(path.join(tmpdir(), 'esta-install-')), 'node_modules');
  t.after(() => rm(path.dirname(packages), { recursive: true }));
  await mkdir(path.join(packages, 'esta/src'), { recursive: true });
  const ours = path.join(packages, 'esta/src/decline-download.cjs');
  await cp(path.join(projectRoot, 'src/decline-download.cjs'), ours);
  const run = (script: string, wish?: string) => {
    const { ONNXRUNTIME_NODE_INSTALL: _, ...env } = process.env;
    const told = wish === undefined ? {} : { ONNXRUNTIME_NODE_INSTALL: wish };
    return spawnSync(process.execPath, [script], { env: { ...env, ...told }, encoding: 'utf8', timeout: 30_000 });
  };
  assert.equal(run(ours).status, 0, 'onnxruntime-node is not there');

  const installed = path.join(projectRoot, 'node_modules');
  const runtime = path.join(packages, 'onnxruntime-node');
  await cp(path.join(installed, 'onnxruntime-node/script'), path.join(runtime, 'script'), { recursive: true });
  await cp(path.join(installed, 'onnxruntime-node/package.json'), path.join(runtime, 'package.json'));
  for (const name of ['global-agent', 'adm-zip']) {
    await symlink(path.join(installed, name), path.join(packages, name));
  }
  const script = path.join(runtime, 'script/install.js');
  for (const time of ['first', 'second']) assert.equal(run(ours).status, 0, time);
  const changed = await readFile(script, 'utf8');
  const original = await readFile(path.join(installed, 'onnxruntime-node/script/install.js'), 'utf8');
  assert.equal(changed.slice(changed.indexOf('\n') + 1), original, 'one line more, however often');
  const { status, stdout, stderr } = run(script);
  assert.deepEqual([status, stdout, stderr], [0, '', '']);

  const heard = path.join(runtime, 'heard.js');
  await writeFile(
    heard,
    `${changed.slice(0, changed.indexOf('\n'))}\nconsole.log(process.env.ONNXRUNTIME_NODE_INSTALL)`,
  );
  assert.deepEqual([run(heard).stdout, run(heard, 'cuda12').stdout], ['skip\n', 'cuda12\n'], 'a wish is kept');
});
