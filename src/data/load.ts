/** From the data set that an experiment names to its images, whatever its kind. */
import type { ImageDatasetConfig } from '../config/schema/dataset.js';
import { fewShotValidation, trainingListOf } from '../config/training-images.js';
import { type Progress, silentProgress } from '../shared/progress.js';
import type { Dataset } from './dataset.js';
import { type ImageFolder, readImageFolder } from './image-folder.js';
import { openOfficial } from './official/open.js';
import { showActivities } from './official/prepare/activity.js';
import { withTrainingList } from './official/readers/few-shot-list.js';
import { listSpecies, openSpecies, type SpeciesOptions } from './species.js';
import { fewShot, shotNotes, withValidation } from './splits.js';

/** Validation images are the same in all trials of an experiment, so that their results can be compared. */
const validationSeed = 0;

export interface LoadDatasetOptions extends Pick<SpeciesOptions, 'imageSize'> {
  /** Of the few-shot draw or list, the seed of the trial; default 0. */
  readonly seed?: number;
  /** Shows the drawing of species, and writes the notes of the data set; default: nothing is said. */
  readonly progress?: Progress;
}

/**
 * Reads (for drawn species: draws) the data set; no image is decoded. The result has a validation split, and of a
 * data set with `shots` that many training images of each class, or those of its `training_list`.
 * @param cacheFolder where drawn images are kept between runs
 */
export async function loadDataset(
  config: ImageDatasetConfig,
  cacheFolder: string,
  { seed = 0, progress = silentProgress, ...options }: LoadDatasetOptions = {},
): Promise<Dataset> {
  const onProgress = showActivities(progress);
  const whole =
    config.kind === 'species'
      ? await openSpecies(config, cacheFolder, {
          ...options,
          onProgress: (done, total) => onProgress(`${config.name}: drawing images`, done, total),
        })
      : await listWhole(config);
  progress.stop();
  const dataset = await chosenBy(config, whole, seed);
  for (const note of dataset.notes ?? []) progress.line(`${config.name}: ${note}`);
  return dataset;
}

/** The whole data set, before shots and lists choose from it. Of drawn species the files need not be there yet. */
export async function listWhole(config: ImageDatasetConfig): Promise<Dataset> {
  switch (config.kind) {
    case 'species':
      return listSpecies(config);
    case 'image-folder':
      return withValidation(withTestNote(await readImageFolder(config)), config.validation_fraction, validationSeed);
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

/** Who has called them validation images may take them for those that choose the learning rate. */
function withTestNote(dataset: ImageFolder): Dataset {
  const { testFolder, notes } = dataset;
  if (testFolder === 'test') return dataset;
  const note = `there is no test/: the images of ${testFolder}/ are the test images, by which nothing is chosen`;
  return { ...dataset, notes: [note, ...notes] };
}

/** What a trial of this seed sees of the whole data set: the training images of its list, or so many shots. */
export async function chosenBy(config: ImageDatasetConfig, whole: Dataset, seed: number): Promise<Dataset> {
  const list = trainingListOf(config, seed);
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
  return { ...dataset, splits, notes: [...(dataset.notes ?? []), ...shotNotes(dataset, shots)] };
}
