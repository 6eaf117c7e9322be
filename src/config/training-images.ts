/** How many training images a data set has, as far as that is known without reading it. */
import type { Dataset, DatasetKind } from './schema/dataset.js';

/** Official training images and classes; sources: the data sets' own lists. */
const official: Partial<Record<DatasetKind, { readonly images: number; readonly classes: number }>> = {
  'cub-200-2011': { images: 5994, classes: 200 },
  nabirds: { images: 23929, classes: 555 },
  'oxford-flowers-102': { images: 2040, classes: 102 },
  'stanford-dogs': { images: 12000, classes: 120 },
  'stanford-cars': { images: 8144, classes: 196 },
  'cifar-100': { images: 50000, classes: 100 },
};

/** Validation images that few-shot learning keeps of each class, where there are as many shots (CoOp). */
export const fewShotValidation = 4;

/**
 * Images of the training part, or of training and validation part together; undefined for a folder of images.
 * Where images are drawn class by class the number may be off by the rounding, and by classes that have fewer.
 */
export function trainingImages(dataset: Dataset, part: 'train' | 'train+validation'): number | undefined {
  const all = allTrainingImages(dataset, part);
  const classes = dataset.kind === 'species' ? dataset.classes : official[dataset.kind]?.classes;
  const { shots } = dataset;
  if (shots === undefined || classes === undefined) return shots === undefined ? all : undefined;
  const validation = part === 'train' ? 0 : Math.min(shots, fewShotValidation);
  return Math.min(all ?? Number.POSITIVE_INFINITY, classes * (shots + validation));
}

function allTrainingImages(dataset: Dataset, part: 'train' | 'train+validation'): number | undefined {
  const isWhole = part === 'train+validation';
  switch (dataset.kind) {
    case 'species':
      return dataset.classes * (dataset.train_images + (isWhole ? dataset.validation_images : 0));
    case 'oxford-flowers-102':
      return isWhole ? 2040 : 1020;
    case 'vtab-1k':
      return isWhole ? 1000 : 800;
    default: {
      const images = official[dataset.kind]?.images;
      return images && Math.round(images * (isWhole ? 1 : 1 - dataset.validation_fraction));
    }
  }
}
