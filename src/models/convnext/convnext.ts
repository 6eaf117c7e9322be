/**
 * ConvNeXt (Liu et al. 2022) as timm defines it (timm/models/convnext.py): a stem, then four stages of blocks of one width
 * each, with a downsampling before every stage but the first; layer scale, exact GELU, LayerNorm over channels. Written as
 * functions of a tree of weights, block by block, so that a stitch can leave one network and enter another inside a stage.
 *
 * What PST adapts here: the two linear layers of a block's MLP, fc1 and fc2, and the convolution of a downsampling, which
 * is a linear layer on patches. The paper names only query, key and value, which a ConvNeXt does not have. These are all
 * that is dense between stem and head (a depthwise convolution has 49 weights for a channel), and LoRA is defined for
 * linear layers. What each part is worth: docs/choices.md.
 */
import tf = require('@tensorflow/tfjs');

import { gelu } from '../../engine/ops/gelu.js';
import { layerNorm } from '../../engine/ops/layer-norm.js';
import { linear } from '../../engine/ops/linear.js';
import type { BlockAdaptation } from '../family.js';
import { adapted, type Linear, type Norm, patchesOf } from '../layers.js';
import { convNeXtNormEpsilon, downsamplingSide, stemPatchSide } from './variants.js';

export interface ConvNeXtBlock<T> {
  /** What leads into the stage, of its first block but that of the first stage: a norm over the channels before ... */
  readonly entryNorm?: Norm<T>;
  /** ... and patches of 2 x 2 pixels as vectors [2 * 2 * channels before, channels]. */
  readonly reduce?: Linear<T>;
  /** A 7 x 7 filter for every channel: filter [7, 7, channels, 1], bias [channels]. */
  readonly depthwise: { readonly filter: T; readonly bias: T };
  readonly norm: Norm<T>;
  /** The MLP, fc1 and fc2 in timm: channels -> 4 * channels -> channels. */
  readonly expand: Linear<T>;
  readonly contract: Linear<T>;
  /** gamma in timm [channels]: scales what the block adds to its input. */
  readonly layerScale: T;
}

export interface ConvNeXtStem<T> {
  /** Patches as vectors [4 * 4 * 3, channels]: rows, columns, image channels. */
  readonly patch: Linear<T>;
  readonly norm: Norm<T>;
}

export interface ConvNeXtWeights<T> {
  readonly embedding: ConvNeXtStem<T>;
  /** The blocks of all stages, one stage after the other. */
  readonly blocks: readonly ConvNeXtBlock<T>[];
  /** Norm of the head. */
  readonly norm: Norm<T>;
}

/** Images [batch, side, side, 3] -> [batch, side / 4, side / 4, channels of the first stage]. */
export function embed({ patch, norm }: ConvNeXtStem<tf.Tensor>, images: tf.Tensor): tf.Tensor {
  return normed(norm, linear(patchesOf(images, stemPatchSide), patch.weight, patch.bias));
}

/**
 * Into a stage, as its first block has it: [batch, height, width, channels before] -> [batch, height / 2, width / 2,
 * channels]; nothing for other blocks.
 */
export function downsample(
  { entryNorm, reduce }: ConvNeXtBlock<tf.Tensor>,
  x: tf.Tensor,
  adaptation?: BlockAdaptation,
): tf.Tensor {
  if (!entryNorm || !reduce) return x;
  return adapted(reduce, patchesOf(normed(entryNorm, x), downsamplingSide), adaptation?.['reduce']);
}

/** One block: x [batch, height, width, channels] -> the same shape. */
export function runBlock(weights: ConvNeXtBlock<tf.Tensor>, x: tf.Tensor, adaptation?: BlockAdaptation): tf.Tensor {
  const { filter, bias } = weights.depthwise;
  const mixed = tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same').add(bias);
  const expanded = gelu(adapted(weights.expand, normed(weights.norm, mixed), adaptation?.['expand']));
  return x.add(adapted(weights.contract, expanded, adaptation?.['contract']).mul(weights.layerScale));
}

/** [batch, height, width, channels] -> logits [batch, classes]: mean over all pixels, norm, head. */
export function forwardHead(norm: Norm<tf.Tensor>, head: Linear<tf.Tensor>, x: tf.Tensor): tf.Tensor {
  return linear(normed(norm, x.mean([1, 2])), head.weight, head.bias);
}

function normed({ scale, offset }: Norm<tf.Tensor>, x: tf.Tensor): tf.Tensor {
  return layerNorm(x, scale, offset, convNeXtNormEpsilon);
}
