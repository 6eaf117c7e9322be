/** Which stitches of a trained network are deployed, and how accurate those are on a split. */
import type { Value } from '../../engine/engine.js';
import { type DeployedStitch, deployedStitches } from '../../stitching/deployment.js';
import type { ImportanceScores } from '../../stitching/importance.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import type { StageRecipe } from '../recipe.js';
import type { TrialContext } from './context.js';
import { accuraciesOf, accuraciesOfAll } from './evaluate.js';
import type { TrialNetwork } from './network.js';
import { trainedStitches } from './stitch-training.js';

/** Enough to choose what is deployed, at any time of a training. */
export interface Deployable {
  readonly trainables: Trainables<Value>;
  readonly importance: ImportanceScores;
}

/** Importance scores choose without any evaluation; SN-Net has to evaluate the whole space. */
export async function deploy(
  context: TrialContext,
  network: TrialNetwork,
  stage: Pick<StageRecipe, 'deployment' | 'anchor'>,
  { trainables, importance }: Deployable,
): Promise<DeployedStitch[]> {
  switch (stage.deployment) {
    case 'all':
      return trainedStitches(network, stage).map((id) => ({ id }));
    case 'importance':
      return deployedStitches(network.bins, importance);
    case 'validation': {
      const label = `${context.name}: evaluating all stitches`;
      const images = context.data.evaluation(context.recipe.choiceSplit);
      const scores = await accuraciesOfAll(context, network, trainables, images, label);
      return deployedStitches(network.bins, { scores });
    }
  }
}

/** Accuracies of the stitches that would be deployed now, percent. */
export async function deployedAccuracies(
  context: TrialContext,
  network: TrialNetwork,
  stage: Pick<StageRecipe, 'deployment' | 'anchor'>,
  trained: Deployable,
  split: 'validation' | 'test',
  label: string,
): Promise<{ readonly id: number; readonly accuracy: number }[]> {
  const ids = (await deploy(context, network, stage, trained)).map(({ id }) => id);
  const images = context.data.evaluation(split);
  const accuracies = await accuraciesOf(context, network, trained.trainables, ids, images, label);
  return ids.map((id, index) => ({ id, accuracy: accuracies[index]! }));
}
