/**
 * The plain vision transformer (Dosovitskiy et al. 2021) as timm defines it (timm/models/vision_transformer.py): pre-norm
 * blocks, class token, learned position embedding, exact GELU. Written as functions of a tree of weights, block by block,
 * so that a stitch can leave one network and enter another between any two blocks.
 */
import tf = require('@tensorflow/tfjs');

import { attention } from '../../engine/ops/attention.js';
import { gelu } from '../../engine/ops/gelu.js';
import { layerNorm } from '../../engine/ops/layer-norm.js';
import { linear } from '../../engine/ops/linear.js';
import { tile } from '../../engine/ops/tile.js';
import type { BlockAdaptation } from '../family.js';
import { adapted, type Linear, type Norm, patchesOf } from '../layers.js';
import { layerNormEpsilon, type ViTVariant } from './variants.js';

export interface ViTBlock<T> {
  readonly norm1: Norm<T>;
  readonly query: Linear<T>;
  readonly key: Linear<T>;
  readonly value: Linear<T>;
  readonly projection: Linear<T>;
  readonly norm2: Norm<T>;
  /** The MLP: width -> mlpRatio * width -> width. */
  readonly expand: Linear<T>;
  readonly contract: Linear<T>;
}

export interface ViTEmbedding<T> {
  /** Patches as vectors [patchSize * patchSize * 3, width]: rows, columns, channels. */
  readonly patch: Linear<T>;
  /** [1, 1, width] */
  readonly classToken: T;
  /** [1, tokens, width] */
  readonly position: T;
}

export interface ViTWeights<T> {
  readonly embedding: ViTEmbedding<T>;
  readonly blocks: readonly ViTBlock<T>[];
  readonly norm: Norm<T>;
}

/** The projections that PST adapts. */
export const projections = ['query', 'key', 'value'] as const;

/** Images [batch, side, side, 3] -> tokens [batch, 1 + patches, width]. */
export function embed(weights: ViTEmbedding<tf.Tensor>, images: tf.Tensor, { patchSize }: ViTVariant): tf.Tensor {
  const [batch, side] = images.shape as [number, number];
  const grid = side / patchSize;
  const width = weights.patch.bias.shape[0]!;
  const patches = patchesOf(images, patchSize).reshape([batch, grid * grid, -1]);
  const tokens = linear(patches, weights.patch.weight, weights.patch.bias);
  const classTokens = tile(weights.classToken.reshape([1, 1, width]), [batch, 1, 1]);
  return tf.concat([classTokens, tokens], 1).add(weights.position);
}

/** One block: x [batch, tokens, width] -> the same shape. */
export function runBlock(
  weights: ViTBlock<tf.Tensor>,
  x: tf.Tensor,
  { heads }: Pick<ViTVariant, 'heads'>,
  adaptation?: BlockAdaptation,
): tf.Tensor {
  const normed = layerNorm(x, weights.norm1.scale, weights.norm1.offset, layerNormEpsilon);
  const [query, key, value] = projections.map((name) => adapted(weights[name], normed, adaptation?.[name]));
  const mixed = attention(query!, key!, value!, { heads });
  const y = x.add(linear(mixed, weights.projection.weight, weights.projection.bias));
  const hidden = layerNorm(y, weights.norm2.scale, weights.norm2.offset, layerNormEpsilon);
  const expanded = gelu(linear(hidden, weights.expand.weight, weights.expand.bias));
  return y.add(linear(expanded, weights.contract.weight, weights.contract.bias));
}

/** Tokens [batch, tokens, width] -> logits [batch, classes]: final norm, class token, head. */
export function forwardHead(norm: Norm<tf.Tensor>, head: Linear<tf.Tensor>, x: tf.Tensor): tf.Tensor {
  const [batch, , width] = x.shape as [number, number, number];
  // LayerNorm works token by token, so only the class token needs it.
  const classToken = x.slice([0, 0, 0], [batch, 1, width]).reshape([batch, width]);
  return linear(layerNorm(classToken, norm.scale, norm.offset, layerNormEpsilon), head.weight, head.bias);
}
