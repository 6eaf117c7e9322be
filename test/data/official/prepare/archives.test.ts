/** Verifying and unpacking; the .zip files were made by Python's zipfile (test/fixtures/official/make-zip.py). */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import * as tar from 'tar';
import { isUnpacked, md5Of, unpack, verify } from '../../../../src/data/official/prepare/archives.js';
import { RequestError } from '../../../../src/shared/errors.js';
import { fixture } from '../../../fixture.js';
import { temporaryFolder } from '../temporary-folder.js';

const zips = JSON.parse(await readFile(fixture('official/zip.json'), 'utf8')) as Record<string, string>;

test('MD5 of known text', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.txt');
  await writeFile(file, 'The quick brown fox jumps over the lazy dog');
  assert.equal(await md5Of(file), '9e107d9d372bb6826bd81d3542a419d6');
  await verify(file, { file: 'a.txt', md5: '9e107d9d372bb6826bd81d3542a419d6' });
  await verify(file, { file: 'a.txt' });
  await assert.rejects(verify(file, { file: 'a.txt', md5: '0' }), { hint: /--no-verify/ });
});

test('zip archives', async (t) => {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'nabirds.zip');
  await writeFile(archive, Buffer.from(zips['plain']!, 'base64'));
  const activities: [string, number, number][] = [];
  const unpacked = await unpack(archive, folder, (...activity) => activities.push(activity));
  assert.equal(unpacked, path.join(folder, 'nabirds'));
  const classes = await readFile(path.join(unpacked, 'nabirds/classes.txt'), 'utf8');
  assert.equal(classes, '295 Common Eider\n'.repeat(40));
  assert.equal(await readFile(path.join(unpacked, 'nabirds/images/a.txt'), 'utf8'), 'a');
  assert.deepEqual(activities.at(-1), ['unpacking nabirds.zip', 3, 3]);
  assert.equal(await isUnpacked(archive, folder), true);
});

test('another archive of the same name is unpacked in place of the first, the same one is not', async (t) => {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'images.tar');
  for (const [name, text] of [
    ['bad.txt', 'bad'],
    ['good.txt', 'good'.repeat(4096)],
  ] as const) {
    await writeFile(path.join(folder, name), text);
    await tar.create({ file: archive, cwd: folder }, [name]);
    assert.equal(await isUnpacked(archive, folder), false, name);
    assert.deepEqual(await readdir(await unpack(archive, folder)), [name]);
    assert.equal(await isUnpacked(archive, folder), true);
  }
  await rm(path.join(folder, '.images.size'));
  assert.equal(await isUnpacked(archive, folder), true, 'unpacked by an old version');
});

test('a truncated zip and an entry outside the folder leave nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'a.zip');
  for (const bytes of [
    Buffer.from(zips['plain']!, 'base64').subarray(0, 120),
    Buffer.from(zips['outside']!, 'base64'),
  ]) {
    await writeFile(archive, bytes);
    await assert.rejects(unpack(archive, folder), /a\.zip cannot be unpacked, it is damaged or truncated/);
    assert.deepEqual(await readdir(folder), ['a.zip']);
  }
});

test('a zip whose bytes do not fit their checksums leaves nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'a.zip');
  const bytes = Buffer.from(zips['plain']!, 'base64');
  // "crc-32" of each entry in the central directory: APPNOTE.TXT 4.3.12
  for (
    let at = bytes.indexOf('PK\x01\x02', 0, 'latin1');
    at !== -1;
    at = bytes.indexOf('PK\x01\x02', at + 1, 'latin1')
  ) {
    bytes[at + 16]! ^= 1;
  }
  await writeFile(archive, bytes);
  await assert.rejects(unpack(archive, folder), /a\.zip cannot be unpacked, .*the checksum of nabirds\S* does not fit/);
  assert.deepEqual(await readdir(folder), ['a.zip']);
});

test('a tar entry outside the folder is refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'outside.txt'), 'no');
  const archive = path.join(folder, 'a.tar');
  await tar.create({ file: archive, cwd: path.join(folder), preservePaths: true, prefix: '../..' }, ['outside.txt']);
  await assert.rejects(unpack(archive, folder), { name: 'RequestError' });
  assert.equal(await isUnpacked(archive, folder), false);
});

test('what is no archive at all', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['empty.tgz', 'page.tgz', 'page.tar']) {
    const archive = path.join(folder, name);
    await writeFile(archive, name.startsWith('page') ? '<!DOCTYPE html>'.repeat(100) : '');
    await assert.rejects(unpack(archive, folder), { name: 'RequestError' }, name);
  }
});

test('an archive that unpacks to more than the limit stops there, and leaves nothing', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'zeros'), Buffer.alloc(100_000));
  await tar.create({ file: path.join(folder, 'bomb.tgz'), cwd: folder, gzip: true }, ['zeros']);
  await writeFile(path.join(folder, 'bomb.zip'), Buffer.from(zips['plain']!, 'base64')); // 681 bytes
  const before = await readdir(folder);
  for (const [name, size] of [
    ['bomb.tgz', 100_000],
    ['bomb.zip', 681],
  ] as const) {
    const archive = path.join(folder, name);
    await assert.rejects(unpack(archive, folder, undefined, size - 1), (error: unknown) => {
      return error instanceof RequestError && /bomb.* unpacks to more than .* GiB/.test(error.message) && !!error.hint;
    });
    assert.deepEqual(await readdir(folder), before);
    await rm(await unpack(archive, folder, undefined, size), { recursive: true });
    await rm(path.join(folder, '.bomb.size'));
  }
});
