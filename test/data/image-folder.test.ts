import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readImageFolder } from '../../src/data/image-folder.js';
import { RequestError } from '../../src/shared/errors.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'image-folder-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Empty files will do: reading the folder decodes nothing. */
async function put(...files: string[]): Promise<void> {
  for (const file of files) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), '');
  }
}

const read = () => readImageFolder({ name: 'birds', root });

async function refused(...fragments: string[]): Promise<void> {
  await assert.rejects(read(), (error: unknown) => {
    assert.ok(error instanceof RequestError, String(error));
    for (const fragment of fragments) assert.ok(error.message.includes(fragment), `${fragment} in: ${error.message}`);
    assert.ok(error.hint);
    return true;
  });
}

test('three splits, sorted by class and file', async () => {
  await put('train/wren/10.jpg', 'train/wren/9.JPEG', 'train/owl/a.png', 'train/owl/notes.txt', 'train/.cache/x.jpg');
  await put('val/wren/1.webp', 'val/owl/1.jpg', 'test/wren/2.jpg', 'test/owl/2.jpg');
  const { name, classes, splits } = await read();
  assert.equal(name, 'birds');
  assert.deepEqual(classes, ['owl', 'wren']);
  assert.deepEqual(splits.train, [
    { file: path.join(root, 'train/owl/a.png'), label: 0 },
    { file: path.join(root, 'train/wren/10.jpg'), label: 1 },
    { file: path.join(root, 'train/wren/9.JPEG'), label: 1 },
  ]);
  assert.deepEqual(
    splits.val?.map(({ label }) => label),
    [0, 1],
  );
  assert.deepEqual(
    splits.test.map(({ file }) => path.relative(root, file)),
    ['test/owl/2.jpg', 'test/wren/2.jpg'],
  );
});

test('the only held-out split is the test split', async () => {
  await put('train/owl/1.jpg', 'val/owl/2.jpg');
  const { splits } = await read();
  assert.equal(splits.val, undefined);
  assert.equal(splits.test[0]!.file, path.join(root, 'val/owl/2.jpg'));
});

test('class folders may be links', async () => {
  await put('elsewhere/1.jpg', 'test/owl/2.jpg');
  await mkdir(path.join(root, 'train'));
  await symlink(path.join(root, 'elsewhere'), path.join(root, 'train/owl'));
  assert.deepEqual((await read()).classes, ['owl']);
});

test('missing folders', async () => {
  await assert.rejects(readImageFolder({ name: 'x', root: path.join(root, 'no') }), /no does not exist/);
  await refused(root, '(none)', 'expected train/');
  await put('train/owl/1.jpg');
  await refused(root, "'train'", 'test/');
});

test('classes without images, and splits without classes', async () => {
  await put('train/owl/1.jpg', 'train/wren/readme.txt', 'test/owl/1.jpg', 'test/wren/1.jpg');
  await refused(path.join(root, 'train/wren'), 'no images', '.jpg');
  await rm(path.join(root, 'train'), { recursive: true });
  await mkdir(path.join(root, 'train'));
  await refused(path.join(root, 'train'), 'no class folders');
});

test('classes that differ between splits', async () => {
  await put('train/owl/1.jpg', 'train/wren/1.jpg', 'test/owl/1.jpg', 'test/owI/1.jpg');
  await refused(path.join(root, 'test'), "'owI'", "lacks the classes 'wren'", '2 class folders');
});
