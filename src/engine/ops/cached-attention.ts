/**
 * Attention of new tokens to all before them, whose keys and values stay in memory that the program writes into: for
 * engines that have such memory (Engine.reserve), and without a gradient.
 */
import tf = require('@tensorflow/tfjs');

import { runFused } from './fused-kernel.js';
import type { GroupedAttentionOptions } from './grouped-attention.js';

/** Where keys and values are kept. */
export interface KeptRows<T> {
  /** [2, slots, keyValueHeads, capacity, headWidth]: keys, then values; a text writes into the slot of its number. */
  readonly rows: T;
  /** int32 [texts, capacity]: in which slot the row of each position lies. */
  readonly owners: T;
  /** int32 [1]: position of the first of the new tokens, the same for all texts. */
  readonly first: T;
}

/**
 * @param query [texts, tokens, heads * headWidth]
 * @param key, value [texts, tokens, keyValueHeads * headWidth]; written at their positions, beyond the capacity nowhere
 * @returns [texts, tokens, heads * headWidth]; a token sees itself and what precedes it
 */
export function cachedAttention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  { rows, owners, first }: KeptRows<tf.Tensor>,
  { heads }: Pick<GroupedAttentionOptions, 'heads'>,
): tf.Tensor {
  return runFused('EstaCachedAttention', { query, key, value, rows, owners, first }, { heads })[0]!;
}
