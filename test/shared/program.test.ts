import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { programVersion } from '../../src/shared/program.js';
import { projectRoot } from '../command-line.js';

test('the version is the one of the package', async () => {
  const { version } = JSON.parse(await readFile(path.join(projectRoot, 'package.json'), 'utf8'));
  assert.equal((await programVersion()).version, version);
});

test('a checkout says its commit and whether files were changed; a folder inside of it, or without git, does not', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-program-'));
  t.after(() => rm(folder, { recursive: true }));
  const manifest = path.join(folder, 'package.json');
  await writeFile(manifest, '{"version": "1.2.3"}');
  assert.deepEqual(await programVersion(folder), { version: '1.2.3' });
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', folder, ...words], { encoding: 'utf8', stdio: 'pipe' });
  try {
    git('init', '--quiet');
  } catch {
    t.skip('needs git');
    return;
  }
  assert.deepEqual(await programVersion(folder), { version: '1.2.3' }, 'no commit yet');
  git('add', 'package.json');
  git('-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--message', 'First');
  const commit = git('rev-parse', 'HEAD').trim();
  assert.match(commit, /^[0-9a-f]{40}$/);
  assert.deepEqual(await programVersion(folder), { version: '1.2.3', commit, changed: false });
  await writeFile(manifest, '{"version": "1.2.4"}');
  assert.deepEqual(await programVersion(folder), { version: '1.2.4', commit, changed: true });
  const inside = path.join(folder, 'node_modules', 'esta');
  await mkdir(inside, { recursive: true });
  await writeFile(path.join(inside, 'package.json'), '{"version": "9.9.9"}');
  assert.deepEqual(await programVersion(inside), { version: '9.9.9' });
});
