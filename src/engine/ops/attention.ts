/**
 * Multi-head softmax attention (Vaswani et al. 2017, section 3.2). The probabilities are not kept for the backward pass
 * but computed again, as FlashAttention does (Dao et al. 2022, algorithm 4): memory falls by heads x tokens^2 a layer. The
 * onnxruntime engine keeps those of short sequences on the CPU, where they are little (src/engine/onnx/engine.ts).
 */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';

export interface AttentionOptions {
  readonly heads: number;
  /** Tokens see only themselves and what precedes them; default false. */
  readonly causal?: boolean;
}

/**
 * @param query, key, value [batch, tokens, heads * headWidth]
 * @returns [batch, tokens, heads * headWidth]; scores are scaled by 1 / sqrt(headWidth)
 */
export function attention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  { heads, causal = false }: AttentionOptions,
): tf.Tensor {
  return runFused('EstaAttention', { query, key, value }, { heads, causal })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaAttention',
  inputsToSave: ['query', 'key', 'value'],
  outputsToSave: [true],
  gradFunc: (dy, saved, attributes) => {
    const [query, key, value, output] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const upstream = (Array.isArray(dy) ? dy[0] : dy) as tf.Tensor;
    const inputs = { dy: upstream, query, key, value, output };
    const gradients = runFused('EstaAttentionGrad', inputs, attributes as Record<string, unknown>);
    return { query: () => gradients[0]!, key: () => gradients[1]!, value: () => gradients[2]! };
  },
});

/** [batch, tokens, heads * headWidth] -> [batch, heads, tokens, headWidth] */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor4D {
  const [batch, tokens, width] = x.shape as [number, number, number];
  return x.reshape([batch, tokens, heads, width / heads]).transpose([0, 2, 1, 3]);
}

/** Undoes `splitHeads`. */
export function joinHeads(x: tf.Tensor): tf.Tensor {
  const [batch, heads, tokens, headWidth] = x.shape as [number, number, number, number];
  return x.transpose([0, 2, 1, 3]).reshape([batch, tokens, heads * headWidth]);
}

function probabilities(query: tf.Tensor4D, key: tf.Tensor4D, causal: boolean): tf.Tensor4D {
  const scores = tf.matMul(query, key, false, true).mul(1 / Math.sqrt(query.shape[3])) as tf.Tensor4D;
  if (!causal) return tf.softmax(scores);
  const tokens = scores.shape[3];
  const positions = tf.range(0, tokens);
  const future = tf.greater(positions.reshape([1, tokens]), positions.reshape([tokens, 1]));
  return tf.softmax(scores.add(future.cast('float32').mul(-1e9)));
}

export function decomposedAttention(
  inputs: Tensors<'query' | 'key' | 'value'>,
  { heads, causal }: { heads: number; causal: boolean },
): tf.Tensor[] {
  const [query, key, value] = [inputs.query, inputs.key, inputs.value].map((x) => splitHeads(x, heads));
  return [joinHeads(tf.matMul(probabilities(query!, key!, causal), value!))];
}

/** dV = P^T dO; dS = P (dP - rowsum(dO O)) with dP = dO V^T; dQ = s dS K; dK = s dS^T Q. */
export function decomposedAttentionGrad(
  inputs: Tensors<'query' | 'key' | 'value' | 'dy' | 'output'>,
  { heads, causal }: { heads: number; causal: boolean },
): tf.Tensor[] {
  const split = (x: tf.Tensor) => splitHeads(x, heads);
  const [query, key, value] = [split(inputs.query), split(inputs.key), split(inputs.value)];
  const [dy, output] = [split(inputs.dy), split(inputs.output)];
  const p = probabilities(query, key, causal);
  const rowSum = dy.mul(output).sum(-1, true);
  const ds = tf
    .matMul(dy, value, false, true)
    .sub(rowSum)
    .mul(p)
    .mul(1 / Math.sqrt(query.shape[3])) as tf.Tensor4D;
  return [tf.matMul(ds, key), tf.matMul(ds, query, true, false), tf.matMul(p, dy, true, false)].map(joinHeads);
}
