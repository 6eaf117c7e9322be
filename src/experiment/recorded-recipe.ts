/** The recipe that a trial is carried out by, as its folder records it. */
import path from 'node:path';
import type { Experiment, Method } from '../config/schema/experiment.js';
import { RequestError } from '../shared/errors.js';
import { exists, readJson, writeJson } from '../shared/files.js';
import type { Adaptation } from '../stitching/space/cost.js';
import { learningAlone, learningStitched } from './method.js';
import type { Recipe } from './recipe.js';

/** recipe.json of a trial's folder. */
export function recipeFile(trialFolder: string): string {
  return path.join(trialFolder, 'recipe.json');
}

export function recordRecipe(trialFolder: string, recipe: Recipe): Promise<void> {
  return writeJson(recipeFile(trialFolder), recipe);
}

/**
 * Undefined where version 0.1.0 has written none.
 * @throws RequestError for a file that is no recipe
 */
export async function recordedRecipe(trialFolder: string): Promise<Recipe | undefined> {
  const file = recipeFile(trialFolder);
  if (!(await exists(file))) return undefined;
  const recipe = await readJson<Recipe | null>(file);
  if (recipe && Array.isArray(recipe.stages)) return recipe;
  throw new RequestError(
    `${file} is no recipe of a trial: it has no list of stages`,
    'Restore the file, or delete the trial folder and run the experiment again: it trains the trial anew.',
  );
}

/** What was trained of its stitches: a study may have changed what its experiment says. */
export async function recordedAdaptation(
  trialFolder: string,
  method: Method,
  experiment: Experiment,
): Promise<Adaptation | 'full'> {
  const stages = (await recordedRecipe(trialFolder))?.stages ?? [];
  const stitched = stages.find(({ anchor }) => anchor === undefined) ?? stages[0];
  const learning = stitched ?? learningStitched(method, experiment) ?? learningAlone(method, experiment)!;
  return learning.adaptation;
}
