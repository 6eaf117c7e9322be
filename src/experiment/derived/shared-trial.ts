/** A trial that has ended, opened to train one of its stitches further. */
import { isTextDataset } from '../../config/schema/dataset.js';
import { stitchesAdaptedAnchors } from '../../config/schema/experiment-fields.js';
import type { Trial } from '../../config/trials.js';
import type { Dataset } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { recordedIdentity, refuseOtherIdentity } from '../../run-folder/identity/recorded.js';
import { type TrialInputs, trialInputs, trialSettings } from '../../run-folder/identity/trial-identity.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { experimentIn } from '../../run-folder/run-configuration.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { RequestError } from '../../shared/errors.js';
import type { Runtime } from '../../training/runtime.js';
import { countImages, type ImageCounts, type ImageTrialRecipe, type Recipe, recipeOf } from '../recipe.js';
import { recipeFile, recordedRecipe } from '../recorded-recipe.js';
import { spaceOf } from '../space.js';
import type { TrialTask } from '../task/trial-task.js';
import { type Anchors, loadAnchors, mergeAnchors, type NetworkParts } from '../trial/network.js';
import { readTrained, type StoredTrained, trainedFile } from '../trial/trained-file.js';
import { type OpeningRuntime, openTrialData, type TrialData } from '../trial/trial-data.js';
import { openTexts } from './shared-texts.js';

interface Shared {
  readonly trial: Trial;
  readonly folder: string;
  readonly recipe: Recipe;
  /** What it was trained by, as its identity says it. */
  readonly settings: object;
  /** What the images or texts and weights are now: as they were then. */
  readonly inputs: TrialInputs;
  readonly trained: StoredTrained;
}

export interface SharedImages extends Shared {
  readonly kind: 'images';
  readonly recipe: ImageTrialRecipe;
  readonly dataset: Dataset;
}

export interface SharedTexts extends Shared {
  readonly kind: 'texts';
  readonly task: TrialTask;
}

export type SharedTrial = SharedImages | SharedTexts;

export interface SharedRuntime extends Pick<Runtime, 'engine' | 'progress'> {
  /** Where drawn images are kept. */
  readonly cacheFolder: string;
}

/**
 * @throws RequestError where its images, texts or weights have changed or are not there any more, for a study of version
 *   0.1.0, which recorded no recipes, and for a study of language models
 */
export async function openSharedTrial(
  { folder: runFolder, name, result }: MeasuredRun,
  { engine, cacheFolder, progress }: SharedRuntime,
): Promise<SharedTrial> {
  const folder = trialFolderIn(runFolder, { name });
  const experiment = await experimentIn(runFolder);
  const { method, seed, variant } = result;
  const trial: Trial = {
    ...{ name, method: method as Trial['method'], seed, experiment },
    dataset: experiment.data.find(({ name }) => name === result.dataset)!,
  };
  const { dataset: named } = trial;
  const identityOf = async (inputs: TrialInputs) => {
    const recorded = await recordedIdentity(folder);
    const advice = 'Restore what has changed, or run the experiment again into another folder and give that.';
    if (recorded) refuseOtherIdentity(folder, recorded, recorded, inputs, advice);
    return { inputs, settings: (recorded ?? trialSettings(trial, engine)).settings };
  };
  const trained = () => readTrained(trainedFile(folder));
  if (isTextDataset(named)) {
    const { task, identity } = await openTexts(trial, named, { folder, result, progress });
    const shared = { trial, folder, task, ...(await identityOf(await trialInputs(trial, identity))) };
    const recipe = (await knownRecipe(folder, variant)) ?? task.recipe;
    return { kind: 'texts', ...shared, recipe, trained: await trained() };
  }
  const dataset = await loadDataset(named, cacheFolder, { seed, progress });
  const identity = await identityOf(await trialInputs(trial, named.kind === 'species' ? undefined : dataset));
  const recipe = ((await knownRecipe(folder, variant)) ??
    recipeOf(trial, countImages(dataset.splits))) as ImageTrialRecipe;
  return { kind: 'images', trial, folder, dataset, ...identity, recipe, trained: await trained() };
}

/** Undefined where version 0.1.0 has written none: that of its experiment is the same, but for what a study has changed. */
async function knownRecipe(folder: string, variant: string | undefined): Promise<Recipe | undefined> {
  const recipe = await recordedRecipe(folder);
  if (recipe || variant === undefined) return recipe;
  throw new RequestError(
    `${recipeFile(folder)} is not there: how ${variant} was trained is not known`,
    'Run the study again.',
  );
}

/** Images or texts, by what they are for. */
export function countsOf(shared: SharedTrial): ImageCounts & { readonly validation: number; readonly test: number } {
  if (shared.kind === 'images') {
    const { splits } = shared.dataset;
    return { ...countImages(splits), validation: splits.val?.length ?? 0, test: splits.test.length };
  }
  const { train, validation, test = 0 } = shared.inputs.texts!;
  return { train, 'train+validation': train + validation, validation, test };
}

/** What a stitch of it learns from. @param recipe of that training */
export function lessonsOf(shared: SharedTrial, recipe: Recipe, runtime: OpeningRuntime): Promise<TrialData> {
  if (shared.kind === 'texts') return shared.task.open();
  return openTrialData(recipe as ImageTrialRecipe, shared.dataset.splits, runtime);
}

/** The anchors as the shared training found them: pretrained, or adapted alone before. */
export async function partsOf(shared: SharedTrial): Promise<NetworkParts> {
  const { recipe, trial, trained } = shared;
  if (shared.kind === 'texts') {
    const parts = await shared.task.parts();
    // Nothing else merges anything into anchors, which may be of 8 bits.
    if (!stitchesAdaptedAnchors(trial.method)) return parts;
    return { ...parts, anchors: mergeAnchors(parts.anchors as Anchors, parts, trained.alone) };
  }
  const { anchors, stitching } = recipe;
  const classes = shared.dataset.classes.length;
  const shapes = spaceOf(anchors, stitching, shared.recipe.images.preprocessing.crop);
  const pretrained = await loadAnchors(anchors, shapes.architectures, classes);
  return { ...shapes, classes, anchors: mergeAnchors(pretrained, shapes, trained.alone) };
}
