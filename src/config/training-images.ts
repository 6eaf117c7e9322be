/** How many training images a data set has, as far as that is known without reading it. */
import type { Dataset, DatasetKind } from './dataset-schema.js';

/** Official training images; sources: the data sets' own lists, and VTAB-1k's definition. */
const officialTrainingImages: Partial<Record<DatasetKind, number>> = {
  'cub-200-2011': 5994,
  nabirds: 23929,
  'stanford-dogs': 12000,
  'stanford-cars': 8144,
  'cifar-100': 50000,
};

/**
 * Images of the training part, or of training and validation part together; undefined for a folder of images.
 * Where validation images are drawn class by class the number may be off by the rounding.
 */
export function trainingImages(dataset: Dataset, part: 'train' | 'train+validation'): number | undefined {
  const isWhole = part === 'train+validation';
  switch (dataset.kind) {
    case 'species':
      return dataset.classes * (dataset.train_images + (isWhole ? dataset.validation_images : 0));
    case 'oxford-flowers-102':
      return isWhole ? 2040 : 1020;
    case 'vtab-1k':
      return isWhole ? 1000 : 800;
    default: {
      const official = officialTrainingImages[dataset.kind];
      return official && Math.round(official * (isWhole ? 1 : 1 - dataset.validation_fraction));
    }
  }
}
