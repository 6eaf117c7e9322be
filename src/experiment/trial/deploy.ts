/** Which stitches of a trained network are deployed, and how good those are on a split. */
import path from 'node:path';
import type { Value } from '../../engine/engine.js';
import { type Quality, scoreOf } from '../../evaluation/quality.js';
import { type TrialValidation, validationFile, validationVersion } from '../../run-folder/validation.js';
import { writeAtomic } from '../../shared/files.js';
import { type BeatenStitch, type DeployedStitch, deployedStitches, unbeaten } from '../../stitching/deployment.js';
import type { ImportanceScores } from '../../stitching/importance.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import { binOf } from '../../stitching/space/flops-bins.js';
import { isAnchor } from '../../stitching/space/stitch.js';
import type { StitchSpace } from '../../stitching/space/stitch-space.js';
import type { Runtime } from '../../training/runtime.js';
import type { StageRecipe } from '../recipe.js';
import type { TrialContext } from './context.js';
import { answersOfStitches } from './evaluate.js';
import type { TrialNetwork } from './network.js';
import { qualitiesOfAll } from './quality.js';
import { trainedStitches } from './stitch-training.js';

/** Enough to choose what is deployed, at any time of a training. */
export interface Deployable {
  readonly trainables: Trainables<Value>;
  readonly importance: ImportanceScores;
}

/**
 * Importance scores choose without any evaluation; SN-Net has to evaluate the whole space.
 * @param onEvaluated receives how good every stitch is on the validation split, by id, where all are evaluated
 */
export async function deploy(
  context: TrialContext,
  network: TrialNetwork,
  stage: Pick<StageRecipe, 'deployment' | 'anchor' | 'stitch' | 'deploysAnchors'>,
  { trainables, importance }: Deployable,
  onEvaluated?: (qualities: readonly Quality[]) => Promise<void>,
): Promise<DeployedStitch[]> {
  switch (stage.deployment) {
    case 'all':
      return trainedStitches(network, stage).map((id) => ({ id }));
    case 'importance':
      return topsOfBins(network, stage, importance.scores);
    case 'validation': {
      const label = `${context.name}: evaluating all stitches`;
      const qualities = await qualitiesOfAll(context, network, trainables, context.recipe.choiceSplit, label);
      await onEvaluated?.(qualities);
      return topsOfBins(network, stage, qualities.map(scoreOf));
    }
  }
}

/** Of each bin the anchor in it, where the stage deploys anchors, or the best by `scores`; and the largest anchor. */
export function topsOfBins(
  { bins, space }: Pick<TrialNetwork, 'bins' | 'space'>,
  stage: Pick<StageRecipe, 'deploysAnchors'>,
  scores: ImportanceScores['scores'],
): DeployedStitch[] {
  return deployedStitches(bins, { scores }, preferredBy(stage, space));
}

/** Ids of the stitches that a stage deploys in any case, beside the largest anchor. */
function preferredBy({ deploysAnchors }: Pick<StageRecipe, 'deploysAnchors'>, { stitches }: StitchSpace): number[] {
  return deploysAnchors ? stitches.filter(isAnchor).map(({ id }) => id) : [];
}

/** What a stage deploys. */
export interface DeployedChoice {
  readonly deployed: readonly DeployedStitch[];
  /** Chosen for a bin, and left out since a cheaper one is better; left out: not looked for. */
  readonly beaten?: readonly BeatenStitch[];
}

/** Leaves out what a cheaper one of the chosen stitches beats on the validation images, where the stage does. */
export async function leaveOutBeaten(
  context: Runtime & Pick<TrialContext, 'name' | 'data'>,
  network: TrialNetwork,
  stage: Pick<StageRecipe, 'deploysAnchors' | 'leavesOutBeaten'>,
  trainables: Trainables<Value>,
  chosen: readonly DeployedStitch[],
): Promise<DeployedChoice> {
  if (!stage.leavesOutBeaten) return { deployed: chosen };
  const { data, name } = context;
  if (data.kind === 'texts') throw new Error('stitches of language models are not compared answer by answer');
  const ids = chosen.map(({ id }) => id);
  const label = `${name}: comparing the deployed stitches`;
  const answers = await answersOfStitches(context, network, trainables, ids, data.evaluation('validation'), label);
  return unbeaten(chosen, answers, preferredBy(stage, network.space));
}

/** Writes validation.json of the trial. */
export async function noteValidation(
  { trialFolder }: Pick<TrialContext, 'trialFolder'>,
  { bins, flops }: Pick<TrialNetwork, 'bins' | 'flops'>,
  { scores }: ImportanceScores,
  qualities: readonly Quality[],
): Promise<void> {
  const content: TrialValidation = {
    version: validationVersion,
    bins: bins.bins.length,
    largest_anchor: bins.largestAnchor,
    stitches: qualities.map((quality, id) => {
      const [importance, bin] = [scores[id], binOf(bins, id)];
      const score = typeof importance === 'number' && { importance };
      return { id, flops: flops[id]!, ...quality, ...score, ...(bin !== undefined && { bin }) };
    }),
  };
  await writeAtomic(path.join(trialFolder, validationFile), `${JSON.stringify(content)}\n`);
}

/**
 * What is deployed of a training: of each bin the best stitch, less those that a cheaper one beats, where the stage leaves
 * these out.
 */
export async function choose(
  context: TrialContext,
  network: TrialNetwork,
  stage: Pick<StageRecipe, 'deployment' | 'anchor' | 'stitch' | 'deploysAnchors' | 'leavesOutBeaten'>,
  trained: Deployable,
  onEvaluated?: (qualities: readonly Quality[]) => Promise<void>,
): Promise<DeployedChoice> {
  const chosen = await deploy(context, network, stage, trained, onEvaluated);
  return leaveOutBeaten(context, network, stage, trained.trainables, chosen);
}
