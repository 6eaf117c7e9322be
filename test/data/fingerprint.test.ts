import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fingerprintOf, fingerprintOfSizes } from '../../src/data/fingerprint.js';
import { readImageFolder } from '../../src/data/image-folder.js';
import { temporaryFolder } from './official/temporary-folder.js';

test('a moved data set keeps its fingerprint; every change of names, sizes, splits or classes changes it', async (t) => {
  const parent = await temporaryFolder(t);
  let root = path.join(parent, 'photos');
  const put = async (file: string, content = '') => {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), content);
  };
  for (const name of ['owl', 'wren', 'kiwi'])
    for (const split of ['train', 'test']) await put(`${split}/${name}/1.jpg`);
  const fingerprint = async () => fingerprintOf(await readImageFolder({ name: 'x', root }));
  const seen = [await fingerprint()];
  assert.match(seen[0]!, /^[0-9a-f]{64}$/);
  assert.equal(await fingerprint(), seen[0]);

  await rename(root, path.join(parent, 'moved'));
  root = path.join(parent, 'moved');
  assert.equal(await fingerprint(), seen[0]);

  const changes: (() => Promise<unknown>)[] = [
    () => put('train/owl/2.jpg'),
    () => put('train/owl/2.jpg', 'longer'),
    () => rename(path.join(root, 'train/owl/2.jpg'), path.join(root, 'train/owl/3.jpg')),
    () => rename(path.join(root, 'train/owl/3.jpg'), path.join(root, 'test/owl/3.jpg')),
    () => rename(path.join(root, 'test/owl/3.jpg'), path.join(root, 'test/wren/3.jpg')),
    async () => {
      for (const split of ['train', 'test']) await rm(path.join(root, split, 'kiwi'), { recursive: true });
    },
    async () => {
      for (const split of ['train', 'test'])
        await rename(path.join(root, split, 'wren'), path.join(root, split, 'emu'));
    },
  ];
  for (const change of changes) {
    await change();
    const now = await fingerprint();
    assert.ok(!seen.includes(now), `change ${seen.length}`);
    seen.push(now);
  }
});

test('an image that is not there is named', () => {
  const splits = { train: [{ file: '/nowhere/1.jpg', label: 0 }], test: [] };
  assert.throws(() => fingerprintOf({ classes: ['a'], splits }), /\/nowhere\/1\.jpg is not there/);
});

test('the value is stable between releases', () => {
  const splits = { train: [{ file: '/a/train/x.jpg', label: 0 }], test: [{ file: '/a/test/y.jpg', label: 1 }] };
  // printf '["p","q"]\n["train",0,"train/x.jpg",7]\n["test",1,"test/y.jpg",7]' | sha256sum
  const expected = '1d35b3ce0b987059a2ae81672f4eaee8a1fe2a0ff6d02771d8f9a19f1623e09e';
  assert.equal(
    fingerprintOfSizes({ classes: ['p', 'q'], splits }, () => 7),
    expected,
  );
});
