/** How many training images a data set has, as far as that is known without reading it. */
import { officialDatasets, vtabTasks, vtabTraining } from './official-datasets.js';
import type { Dataset } from './schema/dataset.js';

/** Validation images that few-shot learning keeps of each class, where there are as many shots (CoOp). */
export const fewShotValidation = 4;

/**
 * Images of the training part, or of training and validation part together; undefined for a folder of images.
 * Where images are drawn class by class the number may be off by the rounding, and by classes that have fewer.
 */
export function trainingImages(dataset: Dataset, part: 'train' | 'train+validation'): number | undefined {
  const all = allTrainingImages(dataset, part);
  const classes = classesOf(dataset);
  const { shots } = dataset;
  if (shots === undefined || classes === undefined) return shots === undefined ? all : undefined;
  const validation = part === 'train' ? 0 : Math.min(shots, fewShotValidation);
  return Math.min(all ?? Number.POSITIVE_INFINITY, classes * (shots + validation));
}

function allTrainingImages(dataset: Dataset, part: 'train' | 'train+validation'): number | undefined {
  const isWhole = part === 'train+validation';
  switch (dataset.kind) {
    case 'image-folder':
      return undefined;
    case 'species':
      return dataset.classes * (dataset.train_images + (isWhole ? dataset.validation_images : 0));
    case 'vtab-1k':
      return vtabTraining.train + (isWhole ? vtabTraining.val : 0);
    case 'oxford-flowers-102': {
      const { train, val } = officialDatasets[dataset.kind].counts;
      return train + (isWhole ? val : 0);
    }
    default: {
      const { train, val } = officialDatasets[dataset.kind].counts;
      return Math.round((train + val) * (isWhole ? 1 : 1 - dataset.validation_fraction));
    }
  }
}

function classesOf(dataset: Dataset): number | undefined {
  switch (dataset.kind) {
    case 'image-folder':
      return undefined;
    case 'species':
      return dataset.classes;
    case 'vtab-1k':
      return vtabTasks[dataset.task].classes;
    default:
      return officialDatasets[dataset.kind].classes;
  }
}
