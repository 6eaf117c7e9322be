/** What a trial begins with: its images, its anchors, and the stitched network before the first step. */
import type { Trial } from '../../config/trials.js';
import type { Dataset, Splits } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { type Recipe, recipeOf, type StageRecipe } from '../recipe.js';
import { spaceOf } from '../space.js';
import type { TrialContext, TrialRuntime } from './context.js';
import { loadAnchors, type NetworkParts, networkOfStitches, type TrialNetwork } from './network.js';
import { countImages, fitImages } from './trial-data.js';

/** The images, and the recipe, which depends on how many there are. */
export async function imagesOf(
  trial: Trial,
  { cacheFolder, progress }: Pick<TrialRuntime, 'cacheFolder' | 'progress'>,
): Promise<Pick<Dataset, 'classes' | 'splits'> & { readonly recipe: Recipe }> {
  const { classes, splits } = await loadDataset(trial.dataset, cacheFolder, { seed: trial.seed, progress });
  return { classes, splits, recipe: recipeOf(trial, countImages(splits)) };
}

/** The pretrained anchors and the stitches between them. */
export async function partsOf({ anchors, stitching, images }: Recipe, classes: number): Promise<NetworkParts> {
  const { architectures, space } = spaceOf(anchors, stitching, images.preprocessing.crop);
  return { architectures, space, classes, anchors: await loadAnchors(anchors, architectures, classes) };
}

/** Fits the stitching layers. */
export async function stitchedNetwork(
  { engine, progress, recipe, name }: Pick<TrialContext, 'engine' | 'progress' | 'recipe' | 'name'>,
  parts: NetworkParts,
  stage: StageRecipe,
  splits: Splits,
): Promise<TrialNetwork> {
  const images = await fitImages(recipe, splits);
  progress.start(`${name}: fitting stitching layers`, images.length);
  const fitted = (batches: number) => progress.update(batches);
  const network = await networkOfStitches(engine, parts, stage.adaptation, recipe.stitching.bins, images, fitted);
  progress.stop();
  return network;
}
