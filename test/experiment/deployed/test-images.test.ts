/** The test images of a trial that has ended, or why they cannot be read. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { ImageDatasetConfig } from '../../../src/config/schema/dataset.js';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { loadDataset } from '../../../src/data/load.js';
import { spread, testImagesOf } from '../../../src/experiment/deployed/test-images.js';
import { type ImagesIdentity, imagesIdentity } from '../../../src/run-folder/identity/input-identity.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';

test('they are those of the data set of the trial, with the classes that it learned', async (t) => {
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
    data: [
      { kind: 'species' },
      { kind: 'image-folder', name: 'm', root: '/nowhere' },
      { kind: 'image-folder', name: 'mine', root },
    ],
    adaptation: { ranks: [1, 1] },
  });
  const imagesOf = (dataset: string, classes = ['a', 'b']) =>
    testImagesOf({ experiment, trial: `${dataset}-esta-seed2`, dataset, seed: 2, classes }, root);
  const samples = ['a', 'b'].flatMap((name, label) =>
    ['0.jpg', '1.jpg', '2.jpg'].map((image) => ({ file: path.join(root, 'test', name, image), label })),
  );
  assert.deepEqual(await imagesOf('mine'), { samples }, 'not those of the data set whose name begins its own');
  const images = imagesIdentity(await loadDataset(experiment.data[2] as ImageDatasetConfig, root, { seed: 2 }));
  const since = (of: ImagesIdentity) =>
    testImagesOf(
      { experiment, trial: 'mine-esta-seed2', dataset: 'mine', seed: 2, classes: ['a', 'b'], images: of },
      root,
    );
  assert.deepEqual(await since(images), { samples });
  await writeFile(path.join(root, 'test', 'b', '2.jpg'), 'other');
  assert.deepEqual(await since(images), { samples, changed: 'images of mine were added, removed or changed since' });
  await rm(path.join(root, 'test', 'b', '2.jpg'));
  assert.deepEqual(await since(images), {
    samples: samples.slice(0, -1),
    changed: 'images of mine were added, removed or changed since (6 test images then, 5 now)',
  });
  assert.deepEqual(await imagesOf('other'), {
    absent: 'the experiment of other-esta-seed2 has no data set other',
  });
  assert.deepEqual(await imagesOf('mine', ['a']), { absent: 'the data set mine has other classes by now' });
  await rm(path.join(root, 'train'), { recursive: true });
  const { absent } = (await imagesOf('mine')) as { absent: string };
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
