/** The task of a trial, on images or on texts. */

import { isTextDataset } from '../../config/schema/dataset.js';
import { isTextExperiment } from '../../config/schema/experiment.js';
import type { Trial } from '../../config/trials.js';
import { loadDataset } from '../../data/load.js';
import { countImages, type ImageTrialRecipe, recipeOf } from '../recipe.js';
import { spaceOf } from '../space.js';
import { textTaskOf } from '../text/text-task.js';
import { loadAnchors } from '../trial/network.js';
import { fitImages, type OpeningRuntime, openTrialData } from '../trial/trial-data.js';
import type { TrialTask } from './trial-task.js';

export interface TaskOptions extends OpeningRuntime {
  /** Where drawn images are kept. */
  readonly cacheFolder: string;
}

/** @throws RequestError for data that cannot be read */
export async function taskOf(trial: Trial, options: TaskOptions): Promise<TrialTask> {
  const { cacheFolder, progress } = options;
  const { dataset, experiment, seed } = trial;
  if (isTextDataset(dataset) && isTextExperiment(experiment)) return textTaskOf(trial, dataset, experiment, progress);
  if (isTextDataset(dataset)) throw new Error(`${dataset.name} has texts in an experiment on images`);
  const { classes, splits } = await loadDataset(dataset, cacheFolder, { seed, progress });
  const recipe = recipeOf(trial, countImages(splits)) as ImageTrialRecipe;
  return {
    recipe,
    classes,
    open: (stages = recipe.stages, evaluated = undefined) =>
      openTrialData({ ...recipe, stages }, splits, options, evaluated),
    async parts() {
      const { architectures, space } = spaceOf(recipe.anchors, recipe.stitching, recipe.images.preprocessing.crop);
      const anchors = await loadAnchors(recipe.anchors, architectures, classes.length);
      return { architectures, space, classes: classes.length, anchors };
    },
    fitInputs: () => fitImages(recipe, splits),
  };
}
