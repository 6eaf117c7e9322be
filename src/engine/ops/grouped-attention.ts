/**
 * Softmax attention of language models: several heads of queries share one head of keys and values (Ainslie et al. 2023),
 * and an additive mask says who sees whom: the past only, no padding, the filled part of a cache.
 *
 * The queries that share keys are stacked as rows of one matrix product, so that keys and values are never repeated and
 * the sum over their readers, which their gradients need, is part of the product. Probabilities are computed again in the
 * backward pass, as in attention.ts.
 */
import tf = require('@tensorflow/tfjs');

import { joinHeads, splitHeads } from './attention.js';
import { runFused, type Tensors } from './fused-kernel.js';

/** Added to a score that must not count: far below every real score, and finite, so that a row of nothing else is no NaN. */
export const hidden = -1e9;

export interface GroupedAttentionOptions {
  /** Heads of the queries, a multiple of `keyValueHeads`. */
  readonly heads: number;
  /** Heads of the keys and values; as many as `heads` in plain multi-head attention, 1 in multi-query attention. */
  readonly keyValueHeads: number;
}

/**
 * @param query [batch, queries, heads * headWidth]
 * @param key, value [batch, keys, keyValueHeads * headWidth]
 * @param mask [batch or 1, 1, queries or 1, keys]: 0 where a query sees a key, `hidden` where it does not
 * @returns [batch, queries, heads * headWidth]; scores are scaled by 1 / sqrt(headWidth)
 */
export function groupedAttention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  mask: tf.Tensor,
  { heads, keyValueHeads }: GroupedAttentionOptions,
): tf.Tensor {
  return runFused('EstaGroupedAttention', { query, key, value, mask }, { heads, keyValueHeads })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaGroupedAttention',
  inputsToSave: ['query', 'key', 'value', 'mask'],
  outputsToSave: [true],
  gradFunc: (dy, saved, attributes) => {
    const [query, key, value, mask, output] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const upstream = (Array.isArray(dy) ? dy[0] : dy) as tf.Tensor;
    const inputs = { dy: upstream, query, key, value, mask, output };
    const gradients = runFused('EstaGroupedAttentionGrad', inputs, attributes as Record<string, unknown>);
    return { query: () => gradients[0]!, key: () => gradients[1]!, value: () => gradients[2]! };
  },
});

/** [batch, tokens, heads * headWidth] -> [batch, groups, heads / groups * tokens, headWidth] */
function split(x: tf.Tensor, heads: number, groups: number): tf.Tensor4D {
  const headed = splitHeads(x, heads);
  return headed.reshape([headed.shape[0], groups, -1, headed.shape[3]]);
}

/** Back to [batch, tokens, heads * headWidth]. */
function join(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, groups, rows, headWidth] = x.shape as [number, number, number, number];
  return joinHeads(x.reshape([batch, heads, (groups * rows) / heads, headWidth]));
}

/** @param query, key as `split` makes them; @returns [batch, groups, heads / groups * queries, keys] */
function probabilities(query: tf.Tensor4D, key: tf.Tensor4D, mask: tf.Tensor, heads: number): tf.Tensor4D {
  const scores = tf.matMul(query, key, false, true).mul(1 / Math.sqrt(query.shape[3])) as tf.Tensor4D;
  const [batch, groups, rows, keys] = scores.shape;
  const byHead = scores.reshape([batch, heads, (groups * rows) / heads, keys]);
  return tf.softmax(byHead.add(mask)).reshape(scores.shape);
}

export function decomposedGroupedAttention(
  inputs: Tensors<'query' | 'key' | 'value' | 'mask'>,
  { heads, keyValueHeads }: GroupedAttentionOptions,
): tf.Tensor[] {
  const query = split(inputs.query, heads, keyValueHeads);
  const [key, value] = [inputs.key, inputs.value].map((x) => split(x, keyValueHeads, keyValueHeads));
  return [join(tf.matMul(probabilities(query, key!, inputs.mask, heads), value!), heads)];
}

/** The formulas of attention.ts. */
export function decomposedGroupedAttentionGrad(
  inputs: Tensors<'query' | 'key' | 'value' | 'mask' | 'dy' | 'output'>,
  { heads, keyValueHeads }: GroupedAttentionOptions,
): tf.Tensor[] {
  const ofQueries = (['query', 'dy', 'output'] as const).map((name) => split(inputs[name], heads, keyValueHeads));
  const ofKeys = (['key', 'value'] as const).map((name) => split(inputs[name], keyValueHeads, keyValueHeads));
  const [query, dy, output] = ofQueries as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const [key, value] = ofKeys as [tf.Tensor4D, tf.Tensor4D];
  const p = probabilities(query, key, inputs.mask, heads);
  const ds = tf
    .matMul(dy, value, false, true)
    .sub(dy.mul(output).sum(-1, true))
    .mul(p)
    .mul(1 / Math.sqrt(query.shape[3])) as tf.Tensor4D;
  return [
    join(tf.matMul(ds, key), heads),
    join(tf.matMul(ds, query, true, false), keyValueHeads),
    join(tf.matMul(p, dy, true, false), keyValueHeads),
  ];
}
