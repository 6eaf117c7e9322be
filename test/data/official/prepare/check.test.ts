/** What `esta data check` finds wrong, on damaged miniatures. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { writeUnpacked } from '../../../../data-scripts/miniature/download.js';
import { type Miniature, miniatures } from '../../../../data-scripts/miniature/miniatures.js';
import { checkImageFolder, checkOfficial } from '../../../../src/data/official/prepare/check.js';
import { prepareOfficial } from '../../../../src/data/official/prepare/prepare.js';
import { temporaryFolder } from '../temporary-folder.js';

async function unpacked(context: TestContext, name: string): Promise<Miniature & { folder: string }> {
  const folder = await temporaryFolder(context);
  const miniature = await miniatures[name]!();
  await writeUnpacked(miniature.download, folder);
  return { ...miniature, folder };
}

/** A folder of images of one colour each, by their names below it. */
async function drawnFolder(t: TestContext) {
  const root = await temporaryFolder(t);
  const draw = async (name: string, background: string) => {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await sharp({ create: { width: 4, height: 4, channels: 3, background } }).toFile(file);
    return file;
  };
  return { root, draw };
}

test('a complete copy is right, prepared or not', async (t) => {
  const { spec, folder } = await unpacked(t, 'oxford-flowers-102');
  const perClass = { train: [5, 5], test: [2, 2] } as const;
  const check = await checkOfficial({ ...spec, perClass }, folder);
  assert.deepEqual(check, {
    dataset: 'oxford-flowers-102',
    ok: true,
    origin: 'official',
    notes: [],
    images: { train: 12, val: 3, test: 6 },
    expected: { train: 12, val: 3, test: 6 },
    problems: [],
    warnings: [],
    unreadable: [],
    duplicates: [],
  });
  const root = await temporaryFolder(t);
  await prepareOfficial([spec], { from: [folder], root });
  assert.deepEqual(await checkOfficial({ ...spec, perClass }, root), check);
});

test('other numbers of classes and images are problems, per split and per class', async (t) => {
  const { spec, folder } = await unpacked(t, 'oxford-flowers-102');
  const official = {
    ...spec,
    classes: 102,
    counts: { train: 1020, val: 1020, test: 6 },
    perClass: { train: [10, 10], test: [1, 2] },
  } as const;
  const { ok, problems } = await checkOfficial(official, folder);
  assert.equal(ok, false);
  assert.deepEqual(problems, [
    '3 classes, expected 102',
    'train has 12 images, expected 1020',
    'val has 3 images, expected 1020',
    ...[0, 1, 2].map((label) => `class ${label} (flower ${label + 1}) has 5 images in train and val, expected 10`),
  ]);
});

test('another number of VTAB-1k test images is only a warning', async (t) => {
  const { spec, folder } = await unpacked(t, 'vtab-dtd');
  const { ok, warnings } = await checkOfficial({ ...spec, counts: { ...spec.counts, test: 7 } }, folder);
  assert.deepEqual([ok, warnings], [true, ['test has 6 images, expected 7']]);
});

test('unreadable images are listed with the reason', async (t) => {
  const { spec, folder } = await unpacked(t, 'oxford-flowers-102');
  const [cut, page, gone] = ['00002', '00003', '00004'].map((number) => path.join(folder, `jpg/image_${number}.jpg`));
  await truncate(cut!, 400);
  await writeFile(page!, '<!DOCTYPE html>');
  await truncate(gone!, 0);
  const { ok, problems, unreadable } = await checkOfficial(spec, folder);
  assert.equal(ok, false);
  assert.deepEqual(problems, [`3 images cannot be read, such as ${cut}`]);
  assert.deepEqual(
    unreadable.map(({ file }) => file),
    [cut, page, gone],
  );
});

test('the same bytes in training and test are reported', async (t) => {
  const { spec, folder } = await unpacked(t, 'oxford-flowers-102');
  const [training, testImage] = ['00001', '00016'].map((number) => path.join(folder, `jpg/image_${number}.jpg`));
  await copyFile(training!, testImage!);
  const { ok, warnings, duplicates } = await checkOfficial(spec, folder);
  assert.deepEqual(duplicates, [{ test: testImage, training }]);
  assert.deepEqual([ok, warnings.length], [true, 1], 'official copies have such images too');
  assert.match(warnings[0]!, /^1 test images are also training images, byte for byte/);
});

test('the same bytes in two classes are reported', async (t) => {
  const { root, draw } = await drawnFolder(t);
  const rose = await draw('train/rose/1.png', 'red');
  await draw('train/rose/2.png', 'red'); // of one class: twice the same, no contradiction
  const iris = await draw('train/iris/1.png', 'red');
  await draw('test/iris/1.png', 'navy');
  const { ok, warnings } = await checkImageFolder(root);
  const [warning, ...others] = warnings.filter((text) => text.includes('another class'));
  assert.equal(warning, `2 images are those of another class, byte for byte: ${rose} (rose) = ${iris} (iris)`);
  assert.deepEqual([ok, others], [true, []]);
});

test('a file listed in two splits is a problem', async (t) => {
  const { spec, folder } = await unpacked(t, 'vtab-dtd');
  const list = path.join(folder, 'vtab-1k/dtd/test.txt');
  const lines = (await readFile(list, 'utf8')).split('\n');
  await writeFile(list, ['images/train800/000000.jpg 0', ...lines.slice(1)].join('\n'));
  const { ok, problems } = await checkOfficial(spec, folder);
  assert.equal(ok, false);
  assert.match(problems[0]!, /train800\/000000\.jpg is listed in train and in test/);
});

test('a folder without the data set, or CIFAR-100 before it was prepared, is a wrong request', async (t) => {
  const { spec } = await miniatures['nabirds']!();
  await assert.rejects(checkOfficial(spec, await temporaryFolder(t)), /is not a NABirds folder/);
  const cifar = await unpacked(t, 'cifar-100');
  await assert.rejects(checkOfficial(cifar.spec, cifar.folder), /no prepared CIFAR-100/);
});

test('a folder of images of your own is checked without known numbers', async (t) => {
  const { root, draw } = await drawnFolder(t);
  const training = await draw('train/rose/1.png', 'red');
  const copied = await draw('test/rose/a.png', 'red');
  await draw('train/iris/1.png', 'blue');
  await draw('test/iris/1.png', 'navy');
  const damaged = path.join(root, 'train/rose/2.jpg');
  await writeFile(damaged, '<!DOCTYPE html>');
  const { ok, images, problems, duplicates, unreadable } = await checkImageFolder(root);
  assert.deepEqual([ok, images], [false, { train: 3, val: 0, test: 2 }]);
  assert.deepEqual(problems, [`1 images cannot be read, such as ${damaged}`]);
  assert.deepEqual([duplicates, unreadable.length], [[{ test: copied, training }], 1]);
});
