import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { writeUnpacked } from '../../data-scripts/miniature/download.js';
import { miniatures } from '../../data-scripts/miniature/miniatures.js';
import { loadDataset } from '../../src/data/load.js';
import { RequestError } from '../../src/shared/errors.js';
import type { Progress } from '../../src/shared/progress.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'load-'));
});
after(() => rm(folder, { recursive: true }));

test('a folder of images gets the validation split it lacks', async () => {
  const root = path.join(folder, 'pictures');
  for (const [split, count] of [
    ['train', 10],
    ['test', 2],
  ] as const) {
    for (const name of ['owl', 'wren']) {
      await mkdir(path.join(root, split, name), { recursive: true });
      for (let index = 0; index < count; index++) await writeFile(path.join(root, split, name, `${index}.jpg`), '');
    }
  }
  const { name, splits } = await loadDataset(
    { kind: 'image-folder', name: 'pictures', root, validation_fraction: 0.2 },
    folder,
  );
  assert.equal(name, 'pictures');
  assert.deepEqual([splits.train.length, splits.val?.length, splits.test.length], [16, 4, 4]);
});

test('a note says that images called otherwise are the test images', async () => {
  const root = path.join(folder, 'held-out');
  for (const file of ['train/owl/1.jpg', 'train/owl/2.jpg', 'train/wren/3.jpg', 'val/owl/4.jpg', 'val/wren/5.jpg']) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), '');
  }
  const config = { kind: 'image-folder', name: 'held-out', root, validation_fraction: 0.3 } as const;
  const { notes } = await loadDataset(config, folder);
  assert.equal(notes?.[0], 'there is no test/: the images of val/ are the test images, by which nothing is chosen');
});

test('a published list says which images are trained on, another one for each seed', async () => {
  const root = path.join(folder, 'listed');
  for (const file of [
    'train/owl/1.jpg',
    'train/owl/2.jpg',
    'train/wren/3.jpg',
    'train/wren/4.jpg',
    'test/owl/5.jpg',
    'test/wren/6.jpg',
  ]) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), '');
  }
  await writeFile(path.join(folder, 'one_shot.seed_0'), 'owl/1.jpg 0\nwren/4.jpg 1\n');
  await writeFile(path.join(folder, 'one_shot.seed_1'), 'owl/2.jpg 0\nwren/4.jpg 1\n');
  const training_list = path.join(folder, 'one_shot.seed_{seed}');
  const config = { kind: 'image-folder', name: 'listed', root, validation_fraction: 0.5, training_list } as const;
  for (const [seed, owl] of ['1.jpg', '2.jpg'].entries()) {
    const { splits } = await loadDataset(config, folder, { seed });
    assert.deepEqual(
      splits.train.map(({ file }) => path.basename(file)),
      [owl, '4.jpg'],
    );
    assert.ok(splits.val!.every(({ file }) => ![owl, '4.jpg'].includes(path.basename(file))));
  }
});

test('drawing shows progress; notes are written, among them what shots ask for and do not get', async () => {
  const said: string[] = [];
  const progress: Progress = {
    start: (label, total) => said.push(`${label} ${total}`),
    update() {},
    stop() {},
    line: (text) => said.push(text),
  };
  const images = { classes: 2, train_images: 3, validation_images: 1, test_images: 1 };
  await loadDataset({ kind: 'species', name: 's', ...images, seed: 5, shots: 1000 }, path.join(folder, 'said'), {
    imageSize: 16,
    progress,
  });
  assert.deepEqual(said, [
    's: drawing images 10',
    's: 2 of 2 classes have fewer than 1000 training images (3) and keep all: Rotundella-bipunctata, Rotundella-quadripunctata',
  ]);
});

test('species are drawn into the cache', async () => {
  const { splits } = await loadDataset(
    { kind: 'species', name: 's', classes: 2, train_images: 1, validation_images: 1, test_images: 1, seed: 0 },
    path.join(folder, 'cache'),
    { imageSize: 16 },
  );
  assert.ok(splits.train[0]!.file.startsWith(path.join(folder, 'cache')));
});

test('shots keep so many training images of each class, at most 4 for validation, and all test images', async () => {
  const images = { classes: 3, train_images: 9, validation_images: 6, test_images: 2 };
  const config = { kind: 'species', name: 's', ...images, seed: 0 } as const;
  const draw = (seed?: number, shots = 8) =>
    loadDataset({ ...config, shots }, path.join(folder, 'cache'), {
      imageSize: 16,
      ...(seed !== undefined && { seed }),
    });
  const { splits } = await draw();
  const perClass = (samples: readonly { label: number }[] = []) =>
    [0, 1, 2].map((label) => samples.filter((sample) => sample.label === label).length);
  assert.deepEqual(perClass(splits.train), [8, 8, 8]);
  assert.deepEqual(perClass(splits.val), [4, 4, 4]);
  assert.deepEqual(perClass(splits.test), [2, 2, 2]);
  assert.deepEqual(perClass((await draw(0, 1)).splits.val), [1, 1, 1]);
  assert.deepEqual((await draw(0)).splits, splits);
  assert.notDeepEqual((await draw(1)).splits.train, splits.train);
});

test('of an official data set the asked-for share is drawn for validation, under the name of the experiment', async () => {
  const root = path.join(folder, 'birds');
  const { download } = await miniatures['cub-200-2011']!();
  await writeUnpacked(download, root);
  const config = { kind: 'cub-200-2011', name: 'birds', root, validation_fraction: 0.4 } as const;
  const { name, splits } = await loadDataset(config, folder);
  assert.equal(name, 'birds');
  // 15 training images: 6 of them, 2 of each of the 3 classes
  assert.deepEqual([splits.train.length, splits.val?.length, splits.test.length], [9, 6, 6]);
});

test('an official data set that is not there is an error that names its folder', async () => {
  const config = {
    kind: 'cub-200-2011',
    name: 'cub',
    root: path.join(folder, 'none'),
    validation_fraction: 0.1,
  } as const;
  await assert.rejects(loadDataset(config, folder), (error: unknown) => {
    return error instanceof RequestError && error.message.includes(path.join(folder, 'none'));
  });
});
