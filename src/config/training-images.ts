/** How many training images a data set has, as far as that is known without reading it. */
import { officialDatasets, vtabTasks, vtabTraining } from './official-datasets.js';
import type { DatasetConfig, ImageDatasetConfig } from './schema/dataset.js';

/** Validation images that few-shot learning keeps of each class, where there are as many shots (CoOp). */
export const fewShotValidation = 4;

/**
 * Images of the training part, or of training and validation part together; undefined for a folder of images.
 * Where images are drawn class by class the number may be off by the rounding, and by classes that have fewer; beside a
 * published list, by the validation images that it takes for training.
 * @param listed images of the `training_list`, which take the place of the training part
 */
export function trainingImages(
  dataset: ImageDatasetConfig,
  part: 'train' | 'train+validation',
  listed?: number,
): number | undefined {
  const all = listed === undefined ? allTrainingImages(dataset, part) : withList(dataset, part, listed);
  const classes = classesOf(dataset);
  const { shots } = dataset;
  if (shots === undefined || classes === undefined) return shots === undefined ? all : undefined;
  const validation = part === 'train' ? 0 : Math.min(shots, fewShotValidation);
  return Math.min(all ?? Number.POSITIVE_INFINITY, classes * (shots + validation));
}

/** A list replaces the training images; the validation images stay. */
function withList(dataset: ImageDatasetConfig, part: 'train' | 'train+validation', listed: number): number | undefined {
  if (part === 'train') return listed;
  const [train, whole] = [allTrainingImages(dataset, 'train'), allTrainingImages(dataset, part)];
  return train === undefined || whole === undefined ? undefined : listed + whole - train;
}

function allTrainingImages(dataset: ImageDatasetConfig, part: 'train' | 'train+validation'): number | undefined {
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

function classesOf(dataset: ImageDatasetConfig): number | undefined {
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

/** File of the published list that a trial takes its training images from; undefined: none. */
export function trainingListOf(dataset: DatasetConfig, seed: number): string | undefined {
  return 'training_list' in dataset ? dataset.training_list?.replaceAll('{seed}', String(seed)) : undefined;
}
