/** The test images of a trial that has ended, or why they cannot be read. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { spread, testImagesOf } from '../../../src/experiment/deployed/test-images.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';

test('they are found by the name of the trial, also of an ablation, with the classes that it learned', async (t) => {
  const root = await temporaryFolder(t);
  for (const split of ['train', 'test']) {
    for (const name of ['a', 'b']) {
      await mkdir(path.join(root, split, name), { recursive: true });
      for (const image of ['0.jpg', '1.jpg', '2.jpg']) await writeFile(path.join(root, split, name, image), '');
    }
  }
  const experiment = experimentSchema.parse({
    name: 'x',
    anchors: ['Ti', 'S'].map((name) => ({ name, architecture: name })),
    data: [{ kind: 'species' }, { kind: 'image-folder', name: 'mine', root }],
    adaptation: { ranks: [1, 1] },
  });
  const imagesOf = (trial: string, classes = ['a', 'b']) => testImagesOf({ experiment, trial, classes }, root);
  const samples = ['a', 'b'].flatMap((name, label) =>
    ['0.jpg', '1.jpg', '2.jpg'].map((image) => ({ file: path.join(root, 'test', name, image), label })),
  );
  assert.deepEqual(await imagesOf('mine-esta-seed0'), { samples });
  assert.deepEqual(await imagesOf('mine-esta-eta-0.8-seed2'), { samples });
  assert.deepEqual(await imagesOf('other-esta-seed0'), {
    absent: 'other-esta-seed0 names no data set of its experiment',
  });
  assert.deepEqual(await imagesOf('mine-esta-seed0', ['a']), { absent: 'the data set mine has other classes by now' });
  await rm(path.join(root, 'train'), { recursive: true });
  const { absent } = (await imagesOf('mine-esta-seed0')) as { absent: string };
  assert.match(absent, new RegExp(root));
});

test('samples are spread evenly over all; no more than there are', () => {
  const samples = Array.from({ length: 10 }, (_, label) => ({ file: '', label }));
  const labels = (count: number) => spread(samples, count).map(({ label }) => label);
  assert.deepEqual(
    [labels(5), labels(3), labels(10), labels(50), labels(0)],
    [[0, 2, 4, 6, 8], [0, 3, 6], samples.map(({ label }) => label), samples.map(({ label }) => label), []],
  );
});
