/** A trial that has ended, opened to train one of its stitches further. */
import path from 'node:path';
import { loadExperiment } from '../../config/load.js';
import type { Trial } from '../../config/trials.js';
import type { Dataset } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { recordedIdentity, refuseOtherIdentity } from '../../run-folder/identity/recorded.js';
import { type TrialIdentity, type TrialInputs, trialInputs } from '../../run-folder/identity/trial-identity.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { RequestError } from '../../shared/errors.js';
import { exists, readJson } from '../../shared/files.js';
import type { Progress } from '../../shared/progress.js';
import type { Recipe } from '../recipe.js';
import { spaceOf } from '../space.js';
import { loadAnchors, mergeAnchors, type NetworkParts } from '../trial/network.js';
import { readTrained, type Trained } from '../trial/trained-file.js';

export interface SharedTrial {
  readonly trial: Trial;
  readonly folder: string;
  readonly recipe: Recipe;
  readonly identity: TrialIdentity;
  readonly dataset: Dataset;
  /** What the images and weights are now: as they were then. */
  readonly inputs: TrialInputs;
  readonly trained: Trained;
}

/**
 * @throws RequestError where the trial was written by a version that did not record its recipe, and where its images or
 *   weights have changed or are not there any more
 */
export async function openSharedTrial(
  { folder: runFolder, name, result }: MeasuredRun,
  cacheFolder: string,
  progress: Progress,
): Promise<SharedTrial> {
  const folder = path.join(runFolder, 'trials', name);
  const recipeFile = path.join(folder, 'recipe.json');
  const identity = await recordedIdentity(folder);
  if (!identity || !(await exists(recipeFile))) {
    throw new RequestError(
      `${folder} does not say how it was trained: a version of esta has written it that did not record it`,
      'Run the trial again with this version.',
    );
  }
  const { config: experiment } = await loadExperiment(path.join(runFolder, 'experiment.yaml'));
  const { method, seed } = result;
  const trial: Trial = {
    ...{ name, method: method as Trial['method'], seed, experiment },
    dataset: experiment.data.find(({ name }) => name === result.dataset)!,
  };
  const dataset = await loadDataset(trial.dataset, cacheFolder, { seed, progress });
  const inputs = await trialInputs(trial, trial.dataset.kind === 'species' ? undefined : dataset);
  refuseOtherIdentity(folder, identity, identity, inputs);
  const trained = await readTrained(path.join(folder, 'trained.safetensors'));
  return { trial, folder, recipe: await readJson<Recipe>(recipeFile), identity, dataset, inputs, trained };
}

/** The anchors as the shared training found them: pretrained, or adapted alone before. */
export async function partsOf({ recipe, dataset, trained }: SharedTrial): Promise<NetworkParts> {
  const { anchors, stitching, images } = recipe;
  const classes = dataset.classes.length;
  const shapes = spaceOf(anchors, stitching, images.preprocessing.crop);
  const pretrained = await loadAnchors(anchors, shapes.architectures, classes);
  return { ...shapes, classes, anchors: mergeAnchors(pretrained, shapes, trained.alone) };
}
