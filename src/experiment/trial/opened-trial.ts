/** The stitched network of a trial before the first step. */
import type { StageRecipe } from '../recipe.js';
import type { TrialTask } from '../task/trial-task.js';
import type { TrialContext } from './context.js';
import { type NetworkParts, networkOfStitches, type TrialNetwork } from './network.js';

/** Fits the stitching layers. */
export async function stitchedNetwork(
  { engine, progress, recipe, name }: Pick<TrialContext, 'engine' | 'progress' | 'recipe' | 'name'>,
  parts: NetworkParts,
  stage: StageRecipe,
  task: Pick<TrialTask, 'fitInputs'>,
): Promise<TrialNetwork> {
  const inputs = await task.fitInputs();
  progress.start(`${name}: fitting stitching layers`, inputs.length);
  const fitted = (batches: number) => progress.update(batches);
  const network = await networkOfStitches(engine, parts, stage.adaptation, recipe.stitching.bins, inputs, fitted);
  progress.stop();
  return network;
}
