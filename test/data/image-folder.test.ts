import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
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

/** Two classes in train and test, to which cases add what they are about. */
const plain = ['train/owl/1.jpg', 'train/wren/1.jpg', 'test/owl/1.jpg', 'test/wren/1.jpg'];

const relative = (samples: readonly { file: string }[] = []) => samples.map(({ file }) => path.relative(root, file));

async function refused(...fragments: string[]): Promise<void> {
  await assert.rejects(read(), (error: unknown) => {
    assert.ok(error instanceof RequestError, String(error));
    for (const fragment of fragments) assert.ok(error.message.includes(fragment), `${fragment} in: ${error.message}`);
    assert.ok(error.hint);
    return true;
  });
}

/** Runs as nobody where the tests run as the superuser, whom permissions do not bind. */
async function withoutPrivileges(work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return work();
  await chmod(root, 0o755);
  process.seteuid!(65534);
  return work().finally(() => process.seteuid!(0));
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
  await put('train/owl/1.jpg', 'train/wren/1.jpg', 'val/owl/2.jpg', 'val/wren/2.jpg');
  const { splits, testFolder } = await read();
  assert.equal(splits.val, undefined);
  assert.equal(splits.test[0]!.file, path.join(root, 'val/owl/2.jpg'));
  assert.equal(testFolder, 'val');
});

test('class folders may be links', async () => {
  await put('elsewhere/1.jpg', 'train/wren/1.jpg', 'test/owl/2.jpg', 'test/wren/2.jpg');
  await symlink(path.join(root, 'elsewhere'), path.join(root, 'train/owl'));
  assert.deepEqual((await read()).classes, ['owl', 'wren']);
});

test('images that are links to nothing are refused, all at once, before anything is trained', async () => {
  await put('train/owl/1.jpg', 'train/wren/1.jpg', 'test/owl/2.jpg', 'test/wren/2.jpg');
  await symlink('../../store/3.jpg', path.join(root, 'train/owl/3.jpg'));
  await symlink('../../README', path.join(root, 'train/owl/README'));
  const first = path.join(root, 'train/owl/3.jpg');
  await assert.rejects(read(), { name: 'RequestError', message: `image ${first} is a link that leads nowhere` });
  await symlink('../../store/4.jpg', path.join(root, 'test/wren/4.jpg'));
  await assert.rejects(read(), { message: `2 images are links that lead nowhere, such as ${first}` });
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
  await refused(path.join(root, 'test'), "'owI'", "lacks the classes 'wren'", 'the 2 folders of train/');
});

test('a split may lack classes of train/, which a note names; it may not lack all', async () => {
  await put(...plain, 'train/kite/1.jpg', 'val/wren/2.jpg');
  const { classes, splits, notes } = await read();
  assert.deepEqual(classes, ['kite', 'owl', 'wren']);
  assert.deepEqual(splits.val, [{ file: path.join(root, 'val/wren/2.jpg'), label: 2 }]);
  assert.deepEqual(
    splits.test.map(({ label }) => label),
    [1, 2],
  );
  assert.deepEqual(notes, [
    "val/ has no image of 2 of 3 classes: 'kite', 'owl'",
    "test/ has no image of 1 of 3 classes: 'kite'",
  ]);
  await rm(path.join(root, 'val/wren'), { recursive: true });
  await refused(path.join(root, 'val'), 'no class folders');
});

test('nested folders are read in the order of torchvision: folders by path, then names', async () => {
  await put(...plain, 'train/owl/b/2.jpg', 'train/owl/b-1/3.jpg', 'train/owl/b/c/4.jpg', 'train/owl/0.png');
  const { splits, notes } = await read();
  // sorted(os.walk): '-' sorts before '/', so b-1 lies between b and b/c
  assert.deepEqual(
    relative(splits.train.filter(({ label }) => label === 0)),
    ['0.png', '1.jpg', 'b/2.jpg', 'b-1/3.jpg', 'b/c/4.jpg'].map((file) => `train/owl/${file}`),
  );
  assert.deepEqual(notes, []);
});

test('what torchvision reads is read, and what is left out is named by reason', async () => {
  await put(...plain, 'train/owl/2.tif', 'train/owl/3.TIFF', 'train/owl/4.bmp', 'train/owl/5.gif', 'train/wren/6.gif');
  await put('train/wren/._1.jpg', 'train/wren/a.csv', 'train/loose.jpg', 'extra/owl/1.jpg', 'readme.txt');
  await put('train/.owl-old/1.jpg');
  const { splits, notes } = await read();
  assert.deepEqual(relative(splits.train), [
    ...['1.jpg', '2.tif', '3.TIFF', '4.bmp'].map((file) => `train/owl/${file}`),
    'train/wren/1.jpg',
  ]);
  assert.deepEqual(notes, [
    '1 left out, a folder that is no split: extra',
    '2 left out, hidden (the name begins with a dot): train/.owl-old, train/wren/._1.jpg',
    '1 left out, in no class folder: train/loose.jpg',
    '2 left out, .gif is not read, convert to PNG: train/owl/5.gif, train/wren/6.gif',
    '1 left out, no image (.csv): train/wren/a.csv',
  ]);
});

test('the validation folder goes by three names, one at a time', async () => {
  await put(...plain, 'validation/owl/7.jpg', 'validation/wren/7.jpg');
  assert.deepEqual(relative((await read()).splits.val), ['validation/owl/7.jpg', 'validation/wren/7.jpg']);
  await put('valid/owl/8.jpg', 'valid/wren/8.jpg');
  await refused("'validation', 'valid'", 'one folder of validation images');
});

test('links that lead in a circle end', async () => {
  await put(...plain, 'train/owl/deep/2.jpg');
  await symlink(path.join(root, 'train/owl'), path.join(root, 'train/owl/deep/again'));
  await symlink(path.join(root, 'train/wren'), path.join(root, 'train/owl/other'));
  await symlink(path.join(root, 'train/owl'), path.join(root, 'train/wren/back'));
  const { splits, notes } = await read();
  assert.deepEqual(relative(splits.train.filter(({ label }) => label === 0)), [
    ...['train/owl/1.jpg', 'train/owl/deep/2.jpg', 'train/owl/other/1.jpg'],
  ]);
  assert.ok(notes.some((note) => note.includes('a link to a folder above it: train/owl/deep/again')));
});

test('one class is refused, also when its images lie in no class folder', async () => {
  await put('train/images/1.jpg', 'test/images/1.jpg');
  await refused(path.join(root, 'train'), "one class folder, 'images'", 'at least 2 classes');
  await put('train/2.jpg', 'train/3.jpg');
  await refused('2 images beside them, which belong to no class');
});

test('names that look alike are shown as they are spelled', async () => {
  await put(...plain, 'test/caf\u00e9/1.jpg', 'train/cafe\u0301/1.jpg');
  await refused('caf\\u{e9}', 'cafe\\u{301}', 'spelled differently');
  await put('train/caf\u00e9/1.jpg');
  await refused('two class folders that look alike', 'caf\\u{e9}', 'cafe\\u{301}');
});

test('a name that is not UTF-8 is refused with its folder', async (t) => {
  await put(...plain);
  const name = Buffer.concat([Buffer.from(path.join(root, 'train/owl/caf')), Buffer.from([0xe9]), Buffer.from('.jpg')]);
  try {
    await writeFile(name, '');
  } catch {
    t.skip('this file system takes UTF-8 names only');
    return;
  }
  await refused('caf\uFFFD.jpg', path.join(root, 'train/owl'), 'not UTF-8');
});

test('a file in place of a folder, and a folder that may not be listed, are named', async () => {
  await put(...plain);
  const file = path.join(root, 'train/owl/1.jpg');
  await assert.rejects(readImageFolder({ name: 'x', root: file }), /1\.jpg is a file, not a data folder/);
  const folder = path.join(root, 'train/wren');
  await chmod(folder, 0);
  await withoutPrivileges(() => refused(folder, 'permission denied (EACCES)')).finally(() => chmod(folder, 0o755));
});
