/** Sizes that are known before a data set is there: official training parts, as the data sets' own pages state them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type DatasetConfig, datasetSchema } from '../../src/config/schema/dataset.js';
import { trainingImages } from '../../src/config/training-images.js';

/** Training images of the official lists, which validation images are drawn from or belong to. */
const published = {
  'cub-200-2011': 5994,
  nabirds: 23929,
  'oxford-flowers-102': 2040,
  'stanford-dogs': 12000,
  'stanford-cars': 8144,
  'cifar-100': 50000,
};

const dataset = (fields: object): DatasetConfig => datasetSchema.parse({ name: 'set', root: 'somewhere', ...fields });

test('official sets: all training images, or those that are not held out for validation', () => {
  for (const [kind, images] of Object.entries(published)) {
    assert.equal(trainingImages(dataset({ kind }), 'train+validation'), images, kind);
  }
  // Half of Flowers' 2040 images is its official validation part; of the others a tenth is drawn.
  assert.equal(trainingImages(dataset({ kind: 'oxford-flowers-102' }), 'train'), 1020);
  assert.equal(trainingImages(dataset({ kind: 'stanford-dogs' }), 'train'), 10800);
  assert.equal(trainingImages(dataset({ kind: 'cifar-100', validation_fraction: 0.5 }), 'train'), 25000);
});

test('VTAB-1k has 800 and 200 images, drawn species as many as are asked for, a folder an unknown number', () => {
  const task = dataset({ kind: 'vtab-1k', task: 'dtd' });
  assert.deepEqual([trainingImages(task, 'train'), trainingImages(task, 'train+validation')], [800, 1000]);
  const species = datasetSchema.parse({
    kind: 'species',
    name: 's',
    classes: 3,
    train_images: 7,
    validation_images: 2,
  });
  assert.deepEqual([trainingImages(species, 'train'), trainingImages(species, 'train+validation')], [21, 27]);
  assert.equal(trainingImages(dataset({ kind: 'image-folder' }), 'train'), undefined);
});

test('few-shot learning: so many of each class, and at most 4 more for validation', () => {
  const dogs = dataset({ kind: 'stanford-dogs', shots: 16 });
  assert.deepEqual([trainingImages(dogs, 'train'), trainingImages(dogs, 'train+validation')], [1920, 2400]);
  const dtd = dataset({ kind: 'vtab-1k', task: 'dtd', shots: 2 });
  assert.deepEqual([trainingImages(dtd, 'train'), trainingImages(dtd, 'train+validation')], [94, 188]);
});
