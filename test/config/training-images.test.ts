/** Sizes that are known before a data set is there: official training parts, as the data sets' own pages state them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { datasetSchema, type ImageDatasetConfig } from '../../src/config/schema/dataset.js';
import { trainingImages, trainingListOf } from '../../src/config/training-images.js';

/** Training images of the official lists, which validation images are drawn from or belong to. */
const published = {
  'cub-200-2011': 5994,
  nabirds: 23929,
  'oxford-flowers-102': 2040,
  'stanford-dogs': 12000,
  'stanford-cars': 8144,
  'cifar-100': 50000,
};

const dataset = (fields: object): ImageDatasetConfig =>
  datasetSchema.parse({ name: 'set', root: 'somewhere', ...fields }) as ImageDatasetConfig;

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
  }) as ImageDatasetConfig;
  assert.deepEqual([trainingImages(species, 'train'), trainingImages(species, 'train+validation')], [21, 27]);
  assert.equal(trainingImages(dataset({ kind: 'image-folder' }), 'train'), undefined);
});

test('few-shot learning: so many of each class, and at most 4 more for validation', () => {
  const dogs = dataset({ kind: 'stanford-dogs', shots: 16 });
  assert.deepEqual([trainingImages(dogs, 'train'), trainingImages(dogs, 'train+validation')], [1920, 2400]);
  const dtd = dataset({ kind: 'vtab-1k', task: 'dtd', shots: 2 });
  assert.deepEqual([trainingImages(dtd, 'train'), trainingImages(dtd, 'train+validation')], [94, 188]);
});

test('a published list takes the place of the training images, not of those for validation', () => {
  const flowers = dataset({ kind: 'oxford-flowers-102' });
  // 1020 images are the official validation part.
  assert.deepEqual(
    [trainingImages(flowers, 'train', 408), trainingImages(flowers, 'train+validation', 408)],
    [408, 1428],
  );
  const folder = dataset({ kind: 'image-folder' });
  assert.deepEqual(
    [trainingImages(folder, 'train', 50), trainingImages(folder, 'train+validation', 50)],
    [50, undefined],
  );
  // How many classes a folder has is not known, so neither is what is left of each.
  const few = dataset({ kind: 'image-folder', shots: 4 });
  assert.deepEqual([trainingImages(few, 'train'), trainingImages(few, 'train', 50)], [undefined, undefined]);
});

test('the list of a trial is the one of its seed', () => {
  const list = 'lists/{seed}/train.seed_{seed}.txt';
  assert.equal(trainingListOf(dataset({ kind: 'nabirds', training_list: list }), 2), 'lists/2/train.seed_2.txt');
  assert.equal(trainingListOf(dataset({ kind: 'nabirds' }), 2), undefined);
  assert.equal(trainingListOf(dataset({ kind: 'cifar-100' }), 2), undefined);
});
