/** A trial that has ended, opened to train one of its stitches further. */
import path from 'node:path';
import { loadExperiment } from '../../config/load.js';
import { isTextDataset } from '../../config/schema/dataset.js';
import type { Trial } from '../../config/trials.js';
import type { Dataset } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { recordedIdentity, refuseOtherIdentity } from '../../run-folder/identity/recorded.js';
import { type TrialInputs, trialInputs, trialSettings } from '../../run-folder/identity/trial-identity.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { RequestError } from '../../shared/errors.js';
import { exists, readJson } from '../../shared/files.js';
import type { Runtime } from '../../training/runtime.js';
import { type ImageTrialRecipe, type Recipe, recipeOf } from '../recipe.js';
import { spaceOf } from '../space.js';
import { loadAnchors, mergeAnchors, type NetworkParts } from '../trial/network.js';
import { readTrained, type Trained } from '../trial/trained-file.js';
import { countImages } from '../trial/trial-data.js';

export interface SharedTrial {
  readonly trial: Trial;
  readonly folder: string;
  readonly recipe: ImageTrialRecipe;
  /** What it was trained by, as its identity says it. */
  readonly settings: object;
  readonly dataset: Dataset;
  /** What the images and weights are now: as they were then. */
  readonly inputs: TrialInputs;
  readonly trained: Trained;
}

export interface SharedRuntime extends Pick<Runtime, 'engine' | 'progress'> {
  /** Where drawn images are kept. */
  readonly cacheFolder: string;
}

/**
 * @throws RequestError where its images or weights have changed or are not there any more, and for a study of version 0.1.0,
 *   which recorded no recipes
 */
export async function openSharedTrial(
  { folder: runFolder, name, result }: MeasuredRun,
  { engine, cacheFolder, progress }: SharedRuntime,
): Promise<SharedTrial> {
  const folder = trialFolderIn(runFolder, { name });
  const { config: experiment } = await loadExperiment(path.join(runFolder, 'experiment.yaml'));
  const { method, seed } = result;
  const trial: Trial = {
    ...{ name, method: method as Trial['method'], seed, experiment },
    dataset: experiment.data.find(({ name }) => name === result.dataset)!,
  };
  const { dataset: named } = trial;
  if (isTextDataset(named)) {
    throw new RequestError(
      `${folder} has trained language models, whose stitches are not trained further alone`,
      'Train them longer together: a new run with more training.epochs.',
    );
  }
  const dataset = await loadDataset(named, cacheFolder, { seed, progress });
  const inputs = await trialInputs(trial, trial.dataset.kind === 'species' ? undefined : dataset);
  const recorded = await recordedIdentity(folder);
  if (recorded) refuseOtherIdentity(folder, recorded, recorded, inputs);
  const { settings } = recorded ?? trialSettings(trial, engine);
  const recipe = ((await recordedRecipe(folder, result.variant)) ??
    recipeOf(trial, countImages(dataset.splits))) as ImageTrialRecipe;
  const trained = await readTrained(path.join(folder, 'trained.safetensors'));
  return { trial, folder, recipe, settings, dataset, inputs, trained };
}

/** Undefined where version 0.1.0 has written none: that of its experiment is the same, but for what a study has changed. */
async function recordedRecipe(folder: string, variant: string | undefined): Promise<Recipe | undefined> {
  const file = path.join(folder, 'recipe.json');
  if (await exists(file)) return readJson<Recipe>(file);
  if (variant === undefined) return undefined;
  throw new RequestError(`${file} is not there: how ${variant} was trained is not known`, 'Run the study again.');
}

/** The anchors as the shared training found them: pretrained, or adapted alone before. */
export async function partsOf({ recipe, dataset, trained }: SharedTrial): Promise<NetworkParts> {
  const { anchors, stitching, images } = recipe;
  const classes = dataset.classes.length;
  const shapes = spaceOf(anchors, stitching, images.preprocessing.crop);
  const pretrained = await loadAnchors(anchors, shapes.architectures, classes);
  return { ...shapes, classes, anchors: mergeAnchors(pretrained, shapes, trained.alone) };
}
