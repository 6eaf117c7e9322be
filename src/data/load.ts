/** From the data set that an experiment names to its images, whatever its kind. */
import type { Dataset as DatasetConfig } from '../config/schema/dataset.js';
import { fewShotValidation } from '../config/training-images.js';
import type { Dataset } from './dataset.js';
import { readImageFolder } from './image-folder.js';
import { openOfficial } from './official/open.js';
import { withTrainingList } from './official/readers/few-shot-list.js';
import { openSpecies, type SpeciesOptions } from './species.js';
import { fewShot, withValidation } from './splits.js';

/** Validation images are the same in all trials of an experiment, so that their results can be compared. */
const validationSeed = 0;

export interface LoadDatasetOptions extends SpeciesOptions {
  /** Of the few-shot draw or list, the seed of the trial; default 0. */
  readonly seed?: number;
}

/**
 * Reads (for drawn species: draws) the data set; no image is decoded. The result has a validation split, and of a
 * data set with `shots` that many training images of each class, or those of its `training_list`.
 * @param cacheFolder where drawn images are kept between runs
 */
export async function loadDataset(
  config: DatasetConfig,
  cacheFolder: string,
  { seed = 0, ...options }: LoadDatasetOptions = {},
): Promise<Dataset> {
  const whole = await loadWhole(config, cacheFolder, options);
  const list = 'training_list' in config ? config.training_list?.replaceAll('{seed}', String(seed)) : undefined;
  const dataset = list === undefined ? whole : await withTrainingList(whole, list);
  return config.shots === undefined ? dataset : withShots(dataset, config.shots, seed);
}

/** The test images stay all of them (CoOp, which supplement B follows). */
function withShots(dataset: Dataset, shots: number, seed: number): Dataset {
  const { train, val = [], test } = dataset.splits;
  const splits = {
    train: fewShot(train, shots, seed),
    val: fewShot(val, Math.min(shots, fewShotValidation), seed),
    test,
  };
  return { ...dataset, splits };
}

async function loadWhole(config: DatasetConfig, cacheFolder: string, options: SpeciesOptions): Promise<Dataset> {
  switch (config.kind) {
    case 'species':
      return openSpecies(config, cacheFolder, options);
    case 'image-folder':
      return withValidation(await readImageFolder(config), config.validation_fraction, validationSeed);
    default: {
      const { name, kind, root } = config;
      const dataset = await openOfficial({
        kind,
        root,
        ...('task' in config && { task: config.task }),
        ...('validation_fraction' in config && { validationFraction: config.validation_fraction }),
      });
      return { ...dataset, name };
    }
  }
}
