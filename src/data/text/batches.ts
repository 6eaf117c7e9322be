/** Tokenised texts in batches: their order, and padding. */
import { type Int32NdArray, int32 } from '../../shared/arrays.js';
import { chunks } from '../../shared/groups.js';
import type { Random } from '../../shared/random.js';
import { ignoredLabel, type TokenisedText } from './tokenised-text.js';

export interface TextBatch {
  /** [batch, length], -1 in front of shorter texts: what `TokenInput` of a network means by padding. */
  readonly ids: Int32NdArray;
  /** [batch, length], `ignoredLabel` where nothing is learned. */
  readonly labels: Int32NdArray;
}

const padding = -1;

/**
 * @param multiple the length is rounded up to a multiple of it; default 8, as alpaca-lora does. Programs are compiled for
 *   each length, so that a larger one means fewer programs
 */
export function textBatch(texts: readonly TokenisedText[], multiple = 8): TextBatch {
  const longest = Math.max(...texts.map(({ ids }) => ids.length));
  const length = Math.ceil(longest / multiple) * multiple;
  const filled = (rows: readonly (readonly number[])[], fill: number) => {
    const data = new Int32Array(rows.length * length).fill(fill);
    for (const [row, values] of rows.entries()) data.set(values, (row + 1) * length - values.length);
    return int32([rows.length, length], data);
  };
  return {
    ids: filled(
      texts.map(({ ids }) => ids),
      padding,
    ),
    labels: filled(
      texts.map(({ labels }) => labels),
      ignoredLabel,
    ),
  };
}

/** Batches that are sorted together, at most. */
const mostTogether = 50;

/**
 * An order in which texts of similar length are neighbours, so that batches have little padding: random groups of up to
 * 50 batches, each sorted by falling length, the longest text of all first: what does not fit into memory fails at once
 * (transformers/trainer_pt_utils.py, get_length_grouped_indices).
 * @param batchSize texts between two steps of the optimizer, micro batches together
 * @returns positions in `lengths`
 */
export function orderByLength(lengths: readonly number[], batchSize: number, random: Random): number[] {
  const together = Math.max(1, Math.min(Math.floor(lengths.length / (4 * batchSize)), mostTogether));
  const size = together * batchSize;
  const shuffled = random.shuffled([...lengths.keys()]);
  const groups = chunks(shuffled, size).map((group) => group.sort((a, b) => lengths[b]! - lengths[a]!));
  const order = groups.flat();
  const longest = groups.reduce((best, group) => (lengths[group[0]!]! > lengths[best]! ? group[0]! : best), order[0]!);
  const at = order.indexOf(longest);
  [order[0], order[at]] = [order[at]!, order[0]!];
  return order;
}
