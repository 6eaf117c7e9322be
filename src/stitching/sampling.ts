/**
 * Which stitches the next training step trains.
 *
 * `uniform` (SN-Net): every stitch alike. `task-specific` (ESTA): uniform for a few warm-up epochs, which give every stitch
 * a chance to earn a score; then a FLOPs bin, uniform over those that are not empty, and in it a stitch with probability
 * softmax(z / temperature). The paper gives neither scale nor temperature, and the scale of a saliency is arbitrary (it
 * falls with the loss), so z is the score less the mean of the bin, in deviations of the bin; a stitch without a score has
 * z = 0, the mean. The largest anchor, which stands outside the bins, is drawn as a bin of its own, so that it is trained
 * with or without in-place distillation.
 *
 * Several stitches of one step are drawn one after another by the same probabilities, without repetition: what was drawn
 * leaves the rest, which keeps its proportions. With the sandwich rule (BigNAS, OFA) the smallest stitch is always one of them.
 */
import { RequestError } from '../shared/errors.js';
import { mean, sum } from '../shared/groups.js';
import type { Random } from '../shared/random.js';
import type { ImportanceScores } from './importance.js';
import type { FlopsBins } from './space/flops-bins.js';

export type Sampling =
  | { readonly strategy: 'uniform' }
  | {
      readonly strategy: 'task-specific';
      /** Epochs of uniform sampling; one that it ends in is sampled uniformly, too. */
      readonly warmupEpochs: number;
      /** Of the softmax in a bin, in standard deviations; default 1. Large: uniform; near 0: always the top stitch. */
      readonly temperature?: number;
    };

export interface SamplingState {
  /** Epochs done: 0 in the first. */
  readonly epoch: number;
  readonly importance: ImportanceScores;
  readonly bins: FlopsBins;
}

export interface DrawOptions {
  /** Different stitches to draw; default 1. */
  readonly count?: number;
  /** Id of a stitch that is not drawn; left out: all may be. */
  readonly without?: number;
  /** Id of a stitch that is always among them, first and without a draw of `random`; left out: none is. */
  readonly always?: number;
}

/**
 * The ids of the next stitches, in the order in which they were drawn. All that changes is `random`: each of them but
 * `always` takes one draw of it.
 * @throws RequestError where fewer stitches have a chance to be drawn
 */
export function drawStitches(
  sampling: Sampling,
  state: SamplingState,
  random: Random,
  { count = 1, without, always }: DrawOptions = {},
): number[] {
  const left = stitchProbabilities(sampling, state);
  const fixed = always === undefined ? [] : [always];
  if (without !== undefined) left[without] = 0;
  for (const id of fixed) left[id] = 0;
  const possible = fixed.length + left.filter((probability) => probability > 0).length;
  if (count > possible) {
    throw new RequestError(
      `sampling.stitches_per_step: expected at most ${possible}, the stitches that can be drawn, received ${count}`,
      'Lower it, or raise sampling.temperature.',
    );
  }
  const drawn = Array.from({ length: count - fixed.length }, () => {
    const id = random.weighted(left);
    left[id] = 0;
    return id;
  });
  return [...fixed, ...drawn];
}

/** The probability of each stitch, by id; they add up to 1. */
export function stitchProbabilities(sampling: Sampling, state: SamplingState): number[] {
  const { epoch, importance, bins } = state;
  const stitches = importance.scores.length;
  if (sampling.strategy === 'uniform' || epoch < sampling.warmupEpochs) {
    return new Array<number>(stitches).fill(1 / stitches);
  }
  const groups = [...bins.bins, [bins.largestAnchor]].filter((ids) => ids.length > 0);
  const probabilities = new Array<number>(stitches).fill(0);
  for (const ids of groups) {
    const scores = standardise(ids.map((id) => importance.scores[id] ?? null));
    for (const [index, probability] of softmax(scores, sampling.temperature ?? 1).entries()) {
      probabilities[ids[index]!] = probability / groups.length;
    }
  }
  return probabilities;
}

/** Mean 0 and standard deviation 1 over the known scores; unknown ones are 0, and so are all when there is nothing to compare. */
function standardise(scores: readonly (number | null)[]): number[] {
  const known = scores.filter((score) => score !== null);
  const middle = mean(known);
  const std = Math.sqrt(mean(known.map((score) => (score - middle) ** 2)));
  return scores.map((score) => (score !== null && std > 0 ? (score - middle) / std : 0));
}

function softmax(scores: readonly number[], temperature: number): number[] {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp((score - top) / temperature));
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}
