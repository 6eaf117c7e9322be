/**
 * LLaMA (Touvron et al. 2023) as Hugging Face's transformers defines it (transformers/models/llama/modeling_llama.py):
 * RMSNorm before each half of a block, rotary positions on queries and keys, causal attention with grouped key-value
 * heads, SwiGLU, no biases. Written as functions of a tree of weights, block by block, so that a stitch can leave one
 * network and enter another between any two blocks.
 */
import tf = require('@tensorflow/tfjs');

import { dropped } from '../../engine/ops/dropout.js';
import { groupedAttention, hidden } from '../../engine/ops/grouped-attention.js';
import { linear } from '../../engine/ops/linear.js';
import { rmsNorm } from '../../engine/ops/rms-norm.js';
import { type Rotation, rotary } from '../../engine/ops/rotary.js';
import { swiGlu } from '../../engine/ops/swiglu.js';
import { adapted, type LayerAdaptation, type LinearMap, type Scale } from '../layers.js';
import { type QuantisedProjection, quantisedProjection } from '../quantise.js';
import type { LlamaConfig } from './config.js';
import type { ProjectionName } from './tensors.js';

/** A linear layer, or the same in 8 bits. LLaMA has no biases; a stitch-specific one that is merged is the only one. */
export type Projection<T> = LinearMap<T> | QuantisedProjection<T>;

export interface LlamaBlock<T> {
  readonly attentionNorm: Scale<T>;
  /** width -> heads * headWidth */
  readonly query: Projection<T>;
  /** width -> keyValueHeads * headWidth */
  readonly key: Projection<T>;
  readonly value: Projection<T>;
  /** heads * headWidth -> width */
  readonly output: Projection<T>;
  readonly mlpNorm: Scale<T>;
  /** width -> mlpWidth */
  readonly gate: Projection<T>;
  readonly up: Projection<T>;
  /** mlpWidth -> width */
  readonly down: Projection<T>;
}

export interface LlamaWeights<T> {
  /** A vector for each token: [vocabulary, width]. */
  readonly embedding: { readonly tokens: T };
  readonly blocks: readonly LlamaBlock<T>[];
  readonly norm: Scale<T>;
  /** Logits from features: [vocabulary, width], or in 8 bits; absent where the embedding does it (`tied`). */
  readonly head?: { readonly tokens: T } | QuantisedProjection<T>;
}

export type LlamaBlockAdaptation = Readonly<Partial<Record<ProjectionName, LayerAdaptation>>>;

/** What a block needs to know of the tokens at hand. */
export interface TokenContext {
  /** Of the positions of the tokens, for heads of `headWidth` features. */
  readonly rotation: Rotation;
  /**
   * What the tokens see. Queries [batch, tokens, heads * headWidth], keys and values
   * [batch, tokens, keyValueHeads * headWidth] -> the shape of the queries.
   */
  attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor): tf.Tensor;
}

type AttentionShape = Pick<LlamaConfig, 'headWidth' | 'theta' | 'heads' | 'keyValueHeads'>;

/**
 * The context of whole sequences, which begin at position 0.
 * @param present int32 [batch, tokens]: 1, and 0 where padding stands (in front: positions are relative, so that it does
 *   not matter which number the first real token gets); left out: no padding
 */
export function contextOf(tokens: number, config: AttentionShape, present?: tf.Tensor): TokenContext {
  const unseen = futureOf(tokens);
  const absent = present && tf.sub(1, present.cast('float32')).reshape([-1, 1, 1, tokens]);
  const mask = (absent ? tf.maximum(unseen, absent) : unseen).mul(hidden);
  return {
    rotation: rotationOf(tf.range(0, tokens), config),
    attend: (query, key, value) => groupedAttention(query, key, value, mask, config),
  };
}

/** [1, 1, tokens, tokens]: 1 where a token would see one that comes after it, else 0. */
export function futureOf(tokens: number): tf.Tensor {
  const positions = tf.range(0, tokens);
  const future = tf.greater(positions.reshape([1, tokens]), positions.reshape([tokens, 1]));
  return future.cast('float32').reshape([1, 1, tokens, tokens]);
}

/** @param positions float32 [tokens] */
export function rotationOf(
  positions: tf.Tensor,
  { headWidth, theta }: Pick<LlamaConfig, 'headWidth' | 'theta'>,
): Rotation {
  const half = headWidth / 2;
  const frequencies = tf.tensor1d(Array.from({ length: half }, (_, index) => theta ** (-index / half)));
  const angles = positions.reshape([-1, 1]).mul(frequencies.reshape([1, half]));
  return { cosine: angles.cos(), sine: angles.sin() };
}

/** Token ids int32 [batch, tokens] -> features [batch, tokens, width]. */
export function embed({ tokens }: LlamaWeights<tf.Tensor>['embedding'], ids: tf.Tensor): tf.Tensor {
  return tf.gather(tokens, ids.cast('int32') as tf.Tensor2D);
}

/** One block: x [batch, tokens, width] -> the same shape. */
export function runBlock(
  weights: LlamaBlock<tf.Tensor>,
  x: tf.Tensor,
  { epsilon }: Pick<LlamaConfig, 'epsilon'>,
  { rotation, attend }: TokenContext,
  adaptation: LlamaBlockAdaptation = {},
): tf.Tensor {
  const project = (name: ProjectionName, input: tf.Tensor) => projected(weights[name], input, adaptation[name]);
  const normed = rmsNorm(x, weights.attentionNorm.scale, epsilon);
  const query = rotary(project('query', normed), rotation);
  const key = rotary(project('key', normed), rotation);
  const mixed = attend(query, key, project('value', normed));
  const y = x.add(project('output', mixed));
  const z = rmsNorm(y, weights.mlpNorm.scale, epsilon);
  return y.add(project('down', swiGlu(project('gate', z), project('up', z))));
}

/** A projection with what PST adds to it: y = x W + s dropout(x) A B + b. */
function projected(layer: Projection<tf.Tensor>, x: tf.Tensor, adaptation: LayerAdaptation = {}): tf.Tensor {
  const { update, bias, scale = 1, dropout } = adaptation;
  if ('weight' in layer && !(update && dropout)) return adapted(layer, x, adaptation);
  // The update cannot be merged into codes, nor where it sees other inputs than the weight: it goes beside them.
  const y = 'weight' in layer ? linear(x, layer.weight, layer.bias) : quantisedProjection(x, layer);
  const seen = dropout ? dropped(x, dropout) : x;
  const updated = update ? y.add(linear(linear(seen, update.down), update.up).mul(scale)) : y;
  return bias ? updated.add(bias) : updated;
}

/** Features [..., width] -> logits [..., vocabulary]: final norm, head. */
export function classify(
  { norm, head, embedding }: Pick<LlamaWeights<tf.Tensor>, 'norm' | 'head' | 'embedding'>,
  x: tf.Tensor,
  { epsilon }: Pick<LlamaConfig, 'epsilon'>,
): tf.Tensor {
  const normed = rmsNorm(x, norm.scale, epsilon);
  const layer = head ?? embedding;
  if ('parts' in layer) return quantisedProjection(normed, layer);
  const { tokens } = layer;
  const rows = normed.reshape([-1, x.shape.at(-1)!]);
  return tf.matMul(rows, tokens, false, true).reshape([...x.shape.slice(0, -1), tokens.shape[0]!]);
}

/**
 * A whole network: token ids int32 [batch, tokens] -> logits [batch, tokens, vocabulary].
 * @param present as `contextOf` takes it
 * @param adaptations by block; left out: none
 */
export function runLlama(
  weights: LlamaWeights<tf.Tensor>,
  ids: tf.Tensor,
  config: LlamaConfig,
  present?: tf.Tensor,
  adaptations: readonly LlamaBlockAdaptation[] = [],
): tf.Tensor {
  const context = contextOf(ids.shape[1]!, config, present);
  const through = (x: tf.Tensor, block: LlamaBlock<tf.Tensor>, index: number) =>
    runBlock(block, x, config, context, adaptations[index]);
  return classify(weights, weights.blocks.reduce(through, embed(weights.embedding, ids)), config);
}
