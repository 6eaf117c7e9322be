/** The recipe of a stitch that is trained further alone: that of its trial, with one short stage on the labels. */
import type { TrialResult } from '../../run-folder/result.js';
import { RequestError } from '../../shared/errors.js';
import { repeated } from '../../shared/groups.js';
import {
  type ImageCounts,
  learningRateOf,
  type Recipe,
  type RunRecipe,
  type StageRecipe,
  type TrainingSplit,
} from '../recipe.js';

export interface FinetuneOptions {
  /** Passes over the training images or texts. */
  readonly epochs: number;
  /** Base learning rates to choose from on the validation images or texts; default: shares of that of its stage. */
  readonly rates?: readonly number[] | undefined;
}

/** Of the base learning rate that the stage of the stitch has chosen; the last one where there is nothing to choose by. */
const defaultShares = [1, 0.3, 0.1];

/**
 * The stitch learns from the labels, with the images, batches, weight decay and adaptation of its trial; a language model
 * with its texts, and their clipping, dropout and decay too. The learning rate rises over a tenth of the steps, as in
 * supplement A, because the moments of AdamW start anew.
 * @param result of the trial: each of its stages has chosen a base learning rate
 * @param images how many there are, or how many texts; those for validation choose the learning rate
 * @throws RequestError for several learning rates where the shared training has seen the validation images, or there are none
 */
export function finetuneRecipe<Of extends Recipe>(
  recipe: Of,
  stitch: number,
  result: Pick<TrialResult, 'learningRate' | 'stages'>,
  { epochs, rates }: FinetuneOptions,
  images: ImageCounts & { readonly validation: number },
): Of {
  const shared = stageOf(recipe, stitch);
  // That of the trial is of one of its anchors, where each was trained alone.
  const base = result.stages?.find(({ name }) => name === shared.name)?.learningRate ?? result.learningRate;
  const { split, decay } = shared.final;
  const { batchSize } = recipe.texts ?? recipe.images!;
  const twice = repeated(rates ?? []);
  if (twice !== undefined) throw new RequestError(`--rate: ${twice} is given twice`, 'Give each learning rate once.');
  const canChoose = split === 'train' && images.validation > 0;
  if (!canChoose && rates && rates.length > 1) {
    const why =
      split === 'train' ? 'there are no validation images' : 'the run was trained on its validation images too';
    throw new RequestError(`--rate: nothing can choose one of ${rates.join(', ')}: ${why}`, 'Give one learning rate.');
  }
  const shares = canChoose ? defaultShares : defaultShares.slice(-1);
  const bases = rates ?? shares.map((share) => Number((share * base).toPrecision(2)));
  const run = (on: TrainingSplit): RunRecipe => {
    const steps = epochs * Math.floor(images[on] / batchSize);
    return { split: on, epochs, steps, warmupSteps: Math.round(steps / 10), ...(decay && { decay }) };
  };
  const { adaptation, weightDecay, clipNorm, dropout } = shared;
  const stage: StageRecipe = {
    name: `stitch-${stitch}`,
    stitch,
    adaptation,
    sampling: { strategy: 'uniform' },
    stitchesPerStep: 1,
    deployment: 'all',
    weightDecay,
    ...(clipNorm !== undefined && { clipNorm }),
    ...(dropout !== undefined && { dropout }),
    learningRates: bases.map((base) => learningRateOf(base, batchSize)),
    ...(bases.length > 1 && { grid: run('train') }),
    final: run(split),
    testedEpochs: [],
  };
  return { ...recipe, stages: [stage] };
}

/** The stage that has trained a stitch: that of the stitched network, or of an anchor alone. */
function stageOf({ stages }: Recipe, stitch: number): StageRecipe {
  return stages.find(({ anchor }) => anchor === undefined) ?? stages.find(({ anchor }) => anchor === stitch)!;
}
