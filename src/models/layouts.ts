/** How a tensor lies in our tree and in a published (PyTorch) state dict, and the ways between the two. */
import type { Float32NdArray } from '../shared/arrays.js';
import { permuted, reshaped } from './pretrained/formats/layout.js';

/**
 * - `same`: vectors, tokens, position embeddings.
 * - `linear`: [in, out] here, [out, in] there.
 * - `patches`: a convolution whose stride is its kernel, a linear layer on patches [side * side * in, out] here,
 *   [out, in, side, side] there.
 * - `depthwise`: [height, width, channels, 1] here, [channels, 1, height, width] there.
 */
export type Layout = 'same' | 'linear' | 'depthwise' | { readonly patches: number };

/** The shape there of a tensor of shape `shape` here. */
export function publishedShape(layout: Layout, shape: readonly number[]): readonly number[] {
  if (layout === 'same') return shape;
  if (layout === 'linear') return [shape[1]!, shape[0]!];
  if (layout === 'depthwise') return [shape[2]!, shape[3]!, shape[0]!, shape[1]!];
  const side = layout.patches;
  return [shape[1]!, shape[0]! / side ** 2, side, side];
}

/** From there to here; throws a RangeError for a tensor with another number of axes. */
export function fromPublished(layout: Layout, tensor: Float32NdArray): Float32NdArray {
  if (layout === 'same') return tensor;
  if (layout === 'linear') return permuted(tensor, [1, 0]);
  if (layout === 'depthwise') return permuted(tensor, [2, 3, 0, 1]);
  return reshaped(permuted(tensor, [2, 3, 1, 0]), [-1, tensor.shape[0]!]);
}

/** From here to there. */
export function toPublished(layout: Layout, tensor: Float32NdArray): Float32NdArray {
  if (layout === 'same') return tensor;
  if (layout === 'linear') return permuted(tensor, [1, 0]);
  if (layout === 'depthwise') return permuted(tensor, [2, 3, 0, 1]);
  const side = layout.patches;
  return permuted(reshaped(tensor, [side, side, -1, tensor.shape[1]!]), [3, 2, 0, 1]);
}
