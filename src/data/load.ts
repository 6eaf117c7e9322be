/** From the data set that an experiment names to its images, whatever its kind. */
import type { Dataset as DatasetConfig } from '../config/dataset-schema.js';
import type { Dataset } from './dataset.js';
import { readImageFolder } from './image-folder.js';
import { openOfficial } from './official/open.js';
import { openSpecies, type SpeciesOptions } from './species.js';
import { withValidation } from './splits.js';

/** Validation images are the same in all trials of an experiment, so that their results can be compared. */
const validationSeed = 0;

/**
 * Reads (for drawn species: draws) the data set; no image is decoded. The result has a validation split.
 * @param cacheFolder where drawn images are kept between runs
 */
export async function loadDataset(
  config: DatasetConfig,
  cacheFolder: string,
  options: SpeciesOptions = {},
): Promise<Dataset> {
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
