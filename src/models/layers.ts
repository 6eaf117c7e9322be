/** What the networks share: weights of linear layers and norms, the linear layer as PST adapts it, patches. */
import type * as tf from '@tensorflow/tfjs';
import type { LayerDropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import { type LowRankUpdate, lowRankLinear } from '../engine/ops/low-rank-linear.js';

/** Weights of a linear layer that may do without a bias: weight [in, out], bias [out]. */
export interface LinearMap<T> {
  readonly weight: T;
  readonly bias?: T;
}

export interface Linear<T> extends LinearMap<T> {
  readonly bias: T;
}

/** Weights of an RMSNorm: [width]. */
export interface Scale<T> {
  readonly scale: T;
}

/** Weights of a LayerNorm: both [width]. */
export interface Norm<T> extends Scale<T> {
  readonly offset: T;
}

/** What adapts one linear layer: a low-rank update, and what is added to its bias. */
export interface LayerAdaptation {
  readonly update?: LowRankUpdate;
  /** Factor of the update, alpha / rank; default 1. */
  readonly scale?: number;
  readonly bias?: tf.Tensor;
  /** Of what goes into the update, while it is trained; language models alone have it. */
  readonly dropout?: LayerDropout;
  /** The layer with all that adapts it inside; then there is nothing else. */
  readonly merged?: LinearMap<tf.Tensor>;
}

/** A linear layer with what PST adds to it: y = x W + b + s x A B + b_n. */
export function adapted(
  layer: LinearMap<tf.Tensor>,
  x: tf.Tensor,
  { update, scale, bias: added, merged }: LayerAdaptation = {},
): tf.Tensor {
  if (merged) return linear(x, merged.weight, merged.bias);
  const bias = layer.bias && added ? layer.bias.add(added) : (layer.bias ?? added);
  return update ? lowRankLinear(x, layer.weight, bias, update, scale) : linear(x, layer.weight, bias);
}

/**
 * Square patches as vectors: a convolution whose stride is its kernel is a linear layer on them.
 *
 * @param x [batch, height, width, channels], height and width multiples of `side`
 * @returns [batch, height / side, width / side, side * side * channels]: rows, columns, channels of a patch
 */
export function patchesOf(x: tf.Tensor, side: number): tf.Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, columns] = [height / side, width / side];
  return x
    .reshape([batch * rows, side, columns, side * channels])
    .transpose([0, 2, 1, 3])
    .reshape([batch, rows, columns, side * side * channels]);
}
