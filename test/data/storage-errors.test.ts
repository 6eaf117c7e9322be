/** Disks that are full or may not be written, while images are drawn and data sets are prepared. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { prepareOfficial } from '../../src/data/official/prepare/prepare.js';
import { findOfficial } from '../../src/data/official/registry.js';
import { openSpecies } from '../../src/data/species.js';
import { explainStorageError } from '../../src/data/storage-errors.js';
import { RequestError, TrialError } from '../../src/shared/errors.js';
import { temporaryFolder } from './official/temporary-folder.js';

const source = { kind: 'species', name: 's', classes: 2, validation_images: 1, test_images: 1, seed: 0 } as const;

/** A file system of one mebibyte; undefined where this process may not mount one. */
async function smallDisk(context: TestContext): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder], { stdio: 'ignore' });
    context.after(() => execFileSync('umount', [folder]));
    return folder;
  } catch {
    return undefined;
  } finally {
    context.after(() => rmdir(folder));
  }
}

test('a full disk while drawing: what to do, and nothing half-drawn is left', async (t) => {
  const folder = await smallDisk(t);
  if (folder === undefined) {
    t.skip('no file system can be mounted here');
    return;
  }
  await assert.rejects(openSpecies({ ...source, train_images: 400 }, folder), (error: unknown) => {
    assert.ok(error instanceof TrialError, String(error));
    assert.ok(error.message.includes(`no space left on the device while writing images to ${folder}`));
    assert.match(error.hint!, /XDG_CACHE_HOME=DIR/);
    return true;
  });
  assert.deepEqual(await readdir(folder), []);
});

test('a cache that may not be written, and one below a file', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const refused = (cache: string, pattern: RegExp) =>
    assert.rejects(openSpecies({ ...source, train_images: 1 }, cache), (error: unknown) => {
      assert.ok(error instanceof RequestError, String(error));
      assert.match(error.message, pattern);
      assert.match(error.hint!, /XDG_CACHE_HOME=DIR/);
      return true;
    });
  await refused(path.join(file, 'esta'), /a file is in its place/);
  const closed = path.join(folder, 'closed');
  await mkdir(closed);
  await chmod(folder, 0o755);
  await chmod(closed, 0o555);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid!(65534); // permissions do not bind the superuser
  try {
    await refused(closed, /closed cannot be written: EACCES/);
  } finally {
    if (isRoot) process.seteuid!(0);
  }
});

test('a data root below a file', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'cars_train.tgz');
  await writeFile(file, '');
  const request = { from: [file], root: path.join(file, 'data'), verify: false };
  await assert.rejects(prepareOfficial(findOfficial('stanford-cars'), request), (error: unknown) => {
    assert.ok(error instanceof RequestError, String(error));
    assert.match(error.message, /a file is in its place/);
    assert.match(error.hint!, /--root DIR/);
    return true;
  });
});

test('words of sharp for a full disk are understood; what is no matter of the disk passes', () => {
  const full = explainStorageError(new Error('unix error: No space left on device'), '/x', 'Elsewhere.');
  assert.ok(full instanceof TrialError);
  const bug = new TypeError('x is undefined');
  assert.equal(explainStorageError(bug, '/x', 'Elsewhere.'), bug);
});
