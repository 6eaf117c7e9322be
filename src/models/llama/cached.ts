/**
 * One step of generation: some new tokens of sequences whose earlier keys and values are kept. The kept ones are read
 * where they lie and never copied: scores of kept and of new keys are computed apart, and only the new keys and values
 * are given back.
 */
import tf = require('@tensorflow/tfjs');

import { joinHeads, splitHeads } from '../../engine/ops/attention.js';
import { cachedAttention } from '../../engine/ops/cached-attention.js';
import { hidden } from '../../engine/ops/grouped-attention.js';
import { adapted, type Linear } from '../layers.js';
import type { LowRank } from '../low-rank.js';
import type { LlamaConfig } from './config.js';
import {
  classify,
  embed,
  futureOf,
  type LlamaBlock,
  type LlamaWeights,
  rotationOf,
  runBlock,
  type TokenContext,
} from './llama.js';

/**
 * Weights on the path of a stitch: some blocks of one network, then some of another, with what adapts them beside. A whole
 * network is a path of one part.
 */
export interface PathWeights<T> {
  readonly embedding: LlamaWeights<T>['embedding'];
  readonly parts: readonly PathPart<T>[];
  readonly norm: LlamaWeights<T>['norm'];
  readonly head?: LlamaWeights<T>['head'] & object;
}

export interface PathPart<T> {
  /** The stitching layer that leads into it, and what adapts that; left out of the first part. */
  readonly entry?: { readonly layer: Linear<T>; readonly update?: LowRank<T>; readonly bias?: T };
  readonly blocks: readonly LlamaBlock<T>[];
  /** By block, then by layer; left out: none. */
  readonly adapted?: readonly Readonly<Record<string, { readonly update?: LowRank<T>; readonly bias?: T }>>[];
}

/** The static side of a part. */
export interface PartShape {
  readonly config: LlamaConfig;
  /** Factor of the updates in its blocks. */
  readonly scale: number;
}

export function wholePath<T>({ embedding, blocks, norm, head }: LlamaWeights<T>): PathWeights<T> {
  return { embedding, parts: [{ blocks }], norm, ...(head && { head }) };
}

/** Keys and values of one block: both [batch, keyValueHeads, capacity, headWidth], of which the first rows are filled. */
export interface Kept<T> {
  readonly keys: T;
  readonly values: T;
}

export interface CachedInputs<T> {
  readonly weights: PathWeights<T>;
  /** int32 [batch, tokens]; what stands after the last real token is ignored, because nobody sees the future. */
  readonly ids: T;
  /** int32 [1]: how many tokens are kept, the same for all sequences. */
  readonly filled: T;
  /** int32 [1]: index of the last real token among the new ones. */
  readonly last: T;
  /** By block. */
  readonly kept: readonly Kept<T>[];
}

export interface CachedOutputs<T> {
  /** Of the last real token: [batch, vocabulary]. */
  readonly logits: T;
  /** Of the new tokens, by block: [batch, keyValueHeads, tokens, headWidth]. */
  readonly fresh: readonly Kept<T>[];
}

/** @param shapes of the parts of the weights */
export function runCached(inputs: CachedInputs<tf.Tensor>, shapes: readonly PartShape[]): CachedOutputs<tf.Tensor> {
  const { filled, kept, ...given } = inputs;
  const tokens = given.ids.shape[1]!;
  const first = filled.cast('float32');
  const capacity = kept[0]!.keys.shape[2]!;
  const empty = tf.greaterEqual(tf.range(0, capacity), first).cast('float32').reshape([1, 1, 1, capacity]);
  const masks = { kept: empty.mul(hidden), fresh: futureOf(tokens).mul(hidden) };
  const fresh: Kept<tf.Tensor>[] = [];
  const attend: Attend = (query, key, value, config) => {
    const own = { keys: splitHeads(key, config.keyValueHeads), values: splitHeads(value, config.keyValueHeads) };
    fresh.push(own);
    return attendBoth(query, kept[fresh.length - 1]!, own, masks, config);
  };
  return { logits: logitsOf({ ...given, first }, shapes, attend), fresh };
}

export interface InPlaceInputs<T> extends Pick<CachedInputs<T>, 'ids' | 'filled' | 'last'> {
  /** int32 [batch, capacity]: where the row of each position of each sequence lies (ops/cached-attention.ts). */
  readonly owners: T;
}

export interface InPlaceState<T> {
  readonly weights: PathWeights<T>;
  /** By block: [2, slots, keyValueHeads, capacity, headWidth]. */
  readonly rows: readonly T[];
}

/**
 * The same where keys and values stay in the memory of the engine, which writes the new ones there.
 * @returns logits [batch, vocabulary] of the last real token
 */
export function runInPlace(
  { weights, rows }: InPlaceState<tf.Tensor>,
  { filled, owners, ...given }: InPlaceInputs<tf.Tensor>,
  shapes: readonly PartShape[],
): tf.Tensor {
  let block = 0;
  const attend: Attend = (query, key, value, config) =>
    cachedAttention(query, key, value, { rows: rows[block++]!, owners, first: filled }, config);
  return logitsOf({ ...given, weights, first: filled.cast('float32') }, shapes, attend);
}

type Attend = (query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, config: LlamaConfig) => tf.Tensor;

interface NewTokens extends Pick<CachedInputs<tf.Tensor>, 'weights' | 'ids' | 'last'> {
  /** float32 [1]: position of the first one. */
  readonly first: tf.Tensor;
}

/** Of the last real token. @param attend called once for each block, in their order */
function logitsOf({ weights, ids, first, last }: NewTokens, shapes: readonly PartShape[], attend: Attend): tf.Tensor {
  const [batch, tokens] = ids.shape as [number, number];
  let x = embed(weights.embedding, ids);
  for (const [part, { entry, blocks, adapted: adaptations }] of weights.parts.entries()) {
    const { config, scale } = shapes[part]!;
    if (entry) x = adapted(entry.layer, x, entry);
    const context: TokenContext = {
      rotation: rotationOf(first.add(tf.range(0, tokens)), config),
      attend: (query, key, value) => attend(query, key, value, config),
    };
    for (const [index, block] of blocks.entries()) {
      const layers = Object.entries(adaptations?.[index] ?? {});
      const scaled = Object.fromEntries(layers.map(([layer, adaptation]) => [layer, { ...adaptation, scale }]));
      x = runBlock(block, x, config, context, scaled);
    }
  }
  const { config } = shapes.at(-1)!;
  const lastRow = tf.gather(x, last as tf.Tensor1D, 1).reshape([batch, config.width]);
  return classify(weights, lastRow, config);
}

/** Attention to kept and new keys; queries that share keys are rows of one product, as in grouped-attention.ts. */
function attendBoth(
  query: tf.Tensor,
  kept: Kept<tf.Tensor>,
  fresh: Kept<tf.Tensor>,
  masks: Readonly<Record<'kept' | 'fresh', tf.Tensor>>,
  { heads, keyValueHeads, headWidth }: LlamaConfig,
): tf.Tensor {
  const [batch, tokens] = query.shape as [number, number];
  const rows = (heads / keyValueHeads) * tokens;
  const stacked = splitHeads(query.mul(1 / Math.sqrt(headWidth)), heads).reshape([
    batch,
    keyValueHeads,
    rows,
    headWidth,
  ]);
  const scores = (keys: tf.Tensor, mask: tf.Tensor) =>
    tf.matMul(stacked, keys, false, true).reshape([batch, heads, tokens, -1]).add(mask);
  const [before, now] = [scores(kept.keys, masks.kept), scores(fresh.keys, masks.fresh)];
  const capacity = before.shape[3]!;
  const probabilities = tf
    .softmax(tf.concat([before, now], 3))
    .reshape([batch, keyValueHeads, rows, capacity + tokens]);
  const [toKept, toFresh] = tf.split(probabilities, [capacity, tokens], 3) as [tf.Tensor, tf.Tensor];
  const mixed = tf.matMul(toKept, kept.values).add(tf.matMul(toFresh, fresh.values));
  return joinHeads(mixed.reshape([batch, heads, tokens, headWidth]));
}
