/** What is said of data sets before anything trains. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeUnpacked } from '../../data-scripts/miniature/download.js';
import { miniatures } from '../../data-scripts/miniature/miniatures.js';
import { problemsOf } from '../../src/data/check-inputs.js';
import { splitsFile, writePrepared } from '../../src/data/official/prepare/prepared.js';
import { readOfficialLayout } from '../../src/data/official/read.js';
import { findOfficial } from '../../src/data/official/registry.js';
import { temporaryFolder } from './official/temporary-folder.js';

const needs = { batchSize: 2, seeds: [0, 1], needsValidation: true };
const species = {
  kind: 'species',
  name: 's',
  classes: 2,
  train_images: 3,
  validation_images: 1,
  test_images: 1,
  seed: 0,
} as const;

async function unpacked(context: TestContext, name: string): Promise<string> {
  const folder = await temporaryFolder(context);
  await writeUnpacked((await miniatures[name]!()).download, folder);
  return folder;
}

/** `counts` training images a class, and a test image; nothing decodes them. */
async function imageFolder(context: TestContext, counts: readonly number[]) {
  const root = await temporaryFolder(context);
  for (const [label, count] of counts.entries()) {
    for (const [split, images] of [
      ['train', count],
      ['test', 1],
    ] as const) {
      await mkdir(path.join(root, split, `c${label}`), { recursive: true });
      for (let index = 0; index < images; index++)
        await writeFile(path.join(root, split, `c${label}`, `${index}.jpg`), '');
    }
  }
  return { kind: 'image-folder', name: 'mine', root, validation_fraction: 0.1 } as const;
}

test('nothing is wrong with a complete data set, and nothing is written to find out', async (t) => {
  assert.deepEqual(await problemsOf([species, await imageFolder(t, [3, 3])], needs), []);
});

test('labels of test images that are missing are named, whatever stands before and after', async (t) => {
  const root = await unpacked(t, 'stanford-cars');
  await rm(path.join(root, 'cars_test_annos_withlabels.mat'));
  const cars = { kind: 'stanford-cars', name: 'cars', root, validation_fraction: 0.1 } as const;
  const problems = await problemsOf([species, cars, { ...species, name: 't' }], needs);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^data set cars: .*cars_test_annos\.mat has no labels.*cars_test_annos_withlabels\.mat/);
});

test('all tasks that are missing are named at once', async (t) => {
  const root = await unpacked(t, 'vtab-dtd');
  const tasks = ['svhn', 'dtd', 'kitti'] as const;
  const problems = await problemsOf(
    tasks.map((task) => ({ kind: 'vtab-1k', name: `vtab-${task}`, root, task }) as const),
    needs,
  );
  assert.deepEqual(
    problems
      .filter((problem) => problem.includes('has no folder'))
      .map((problem) => /data set (\S+):/.exec(problem)?.[1]),
    ['vtab-svhn', 'vtab-kitti'],
  );
});

test('images that are listed and not there are counted', async (t) => {
  const root = await unpacked(t, 'oxford-flowers-102');
  const flowers = { kind: 'oxford-flowers-102', name: 'flowers', root } as const;
  assert.deepEqual(await problemsOf([flowers], needs), []);
  await rm(path.join(root, 'jpg/image_00001.jpg'));
  const [problem, ...others] = await problemsOf([flowers], needs);
  assert.match(problem!, /^data set flowers: 1 of 21 images are missing, such as .*image_00001\.jpg/);
  assert.deepEqual(others, []);
});

test('images that were shrunk to less than they are resized to are a problem', async (t) => {
  const root = await unpacked(t, 'oxford-flowers-102');
  const prepared = await temporaryFolder(t);
  const [spec] = findOfficial('oxford-flowers-102');
  const whole = await readOfficialLayout(spec!, root, {});
  await writePrepared(splitsFile(spec!, prepared), { ...whole, resized: 72 }, root);
  const flowers = { kind: 'oxford-flowers-102', name: 'flowers', root: prepared } as const;
  assert.deepEqual(await problemsOf([flowers], { ...needs, resize: 72 }), []);
  const [problem, ...others] = await problemsOf([flowers], { ...needs, resize: 256 });
  assert.match(problem!, /were shrunk to 72 pixels .* enlarged to 256 again\. Prepare it with --resize 256, or set/);
  assert.deepEqual(others, []);
});

test('too few images for a batch, and none to choose on', async (t) => {
  const singles = await imageFolder(t, [1, 1, 1]);
  const problems = await problemsOf([singles], { ...needs, batchSize: 4 });
  assert.equal(problems.length, 2);
  assert.match(problems[0]!, /3 training images do not fill a batch.*now 4, to at most 3/);
  assert.match(problems[1]!, /no validation images.*one base learning rate/);
  assert.deepEqual(await problemsOf([singles], { ...needs, needsValidation: false }), []);
  assert.match(
    (await problemsOf([{ ...species, shots: 1 }], { ...needs, batchSize: 3 }))[0]!,
    /^data set s: 2 training/,
  );
  assert.deepEqual(await problemsOf([{ ...singles, root: '/nowhere' }], needs), [
    'data set mine: /nowhere is not there',
  ]);
});
