/** Published few-shot lists, matched to the images of a data set. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../../src/data/dataset.js';
import { withTrainingList } from '../../../../src/data/official/readers/few-shot-list.js';
import { temporaryFolder } from '../temporary-folder.js';

const image = (folder: string, number: number) => `/data/cars/${folder}/${folder}/0000${number}.jpg`;
const dataset: Dataset = {
  name: 'stanford-cars',
  classes: ['a', 'b'],
  splits: {
    train: [
      { file: image('cars_train', 1), label: 0 },
      { file: image('cars_train', 2), label: 1 },
    ],
    val: [
      { file: image('cars_train', 3), label: 0 },
      { file: image('cars_train', 4), label: 1 },
    ],
    test: [{ file: image('cars_test', 1), label: 0 }],
  },
};

async function listed(context: TestContext, text: string): Promise<Dataset> {
  const file = path.join(await temporaryFolder(context), 'train_meta.list.num_shot_1.seed_0');
  await writeFile(file, text);
  return withTrainingList(dataset, file);
}

test('images are found by the end of their path and leave the validation split', async (t) => {
  const { splits } = await listed(t, 'cars_train/00003.jpg 0\ncars_train/00002.jpg 1\n');
  assert.deepEqual(splits, {
    train: [dataset.splits.val![0], dataset.splits.train[1]],
    val: [dataset.splits.val![1]],
    test: dataset.splits.test,
  });
  const { splits: whole } = await listed(t, 'cars_train/00003.jpg 0\ncars_train/00004.jpg 1\n');
  assert.ok(!('val' in whole), 'where it takes them all, there is no such split');
});

test('a list that was cut, or names images twice, is noted', async (t) => {
  assert.equal((await listed(t, 'cars_train/00001.jpg 0\ncars_train/00002.jpg 1\n')).notes, undefined);
  const { notes } = await listed(t, 'cars_train/00001.jpg 0\ncars_train/00001.jpg 0\n');
  assert.match(notes![0]!, /seed_0 names no image of 1 of 2 classes \(b\), which nothing learns$/);
  assert.match(notes![1]!, /seed_0 names 1 images more than once, which count each time$/);
});

test('test images, other labels and unknown images are refused', async (t) => {
  await assert.rejects(listed(t, 'cars_test/00001.jpg 0\n'), /is a test image .*leak the test set/);
  await assert.rejects(listed(t, 'cars_train/00001.jpg 1\n'), {
    message:
      /num_shot_1\.seed_0 says label 1 for cars_train\/00001\.jpg, stanford-cars says 0: labels count its classes/,
    hint: /^Set training_list to the list that was published for these classes, or leave it out/,
  });
  await assert.rejects(listed(t, 'cars_train/00009.jpg 1\n'), {
    message: /num_shot_1\.seed_0 names cars_train\/00009\.jpg: .* one image of stanford-cars, received that of 0$/,
    hint: /^Set training_list to a list of this data set, .*esta data check\.$/,
  });
  await assert.rejects(listed(t, '00001.jpg 0\n'), {
    message: /names 00001\.jpg: expected the end of the path of one image of stanford-cars, received that of 2$/,
    hint: /^Write more of the path into the list/,
  });
  await assert.rejects(listed(t, 'cars_train/00001.jpg 2\n'), /2 is out of range, allowed are 0 to 1/);
});
