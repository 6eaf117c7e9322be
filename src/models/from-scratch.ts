/** What pretraining needs of the networks of a family: fresh weights, logits, and the file they are written as. */
import type * as tf from '@tensorflow/tfjs';
import type { Float32NdArray, StateDict } from '../shared/arrays.js';
import type { Random } from '../shared/random.js';
import { type Architecture, headWidthOf } from './architecture.js';
import type { NetworkWeights } from './blockwise.js';
import { type ConvNeXtWeights, runConvNeXt } from './convnext/convnext.js';
import { convNeXtStateDictOf, initialConvNeXtWeights } from './convnext/weights.js';
import type { Linear } from './layers.js';
import { tokensOf } from './vit/variants.js';
import { runViT, type ViTWeights } from './vit/vision-transformer.js';
import { initialHead, initialWeights, stateDictOf } from './vit/weights.js';

/** A network that can be trained: its body and its classifier. */
export interface Network<T, Weights = NetworkWeights<T>> {
  readonly weights: Weights;
  readonly head: Linear<T>;
}

/** Networks are those of the architecture's family. */
export interface FromScratch {
  fresh(classes: number, random: Random): Network<Float32NdArray>;
  /**
   * Images [batch, side, side, 3] -> logits [batch, classes].
   * @param kept int32 [kept], tokens that are not dropped, the class token 0 first; left out: all
   */
  logits(network: Network<tf.Tensor>, images: tf.Tensor, kept?: tf.Tensor): tf.Tensor;
  /** timm's names and layouts. */
  stateDictOf(network: Network<Float32NdArray>): StateDict;
  /** Patches of an image that a training step can leave out; undefined where the network needs the whole image. */
  readonly patches: number | undefined;
}

export function fromScratch(architecture: Architecture): FromScratch {
  const headFor = (classes: number, random: Random) => initialHead(headWidthOf(architecture), classes, random);
  if (architecture.family === 'vit') {
    const { variant } = architecture;
    return {
      fresh: (classes, random) => ({ weights: initialWeights(variant, random), head: headFor(classes, random) }),
      logits: ({ weights, head }: Network<tf.Tensor, ViTWeights<tf.Tensor>>, images, kept) =>
        runViT(weights, head, images, variant, kept),
      stateDictOf: ({ weights, head }: Network<Float32NdArray, ViTWeights<Float32NdArray>>) =>
        stateDictOf(weights, variant, head),
      patches: tokensOf(variant) - 1,
    };
  }
  const { variant } = architecture;
  return {
    fresh: (classes, random) => ({ weights: initialConvNeXtWeights(variant, random), head: headFor(classes, random) }),
    logits: ({ weights, head }: Network<tf.Tensor, ConvNeXtWeights<tf.Tensor>>, images) =>
      runConvNeXt(weights, head, images, variant),
    stateDictOf: ({ weights, head }: Network<Float32NdArray, ConvNeXtWeights<Float32NdArray>>) =>
      convNeXtStateDictOf(weights, variant, head),
    patches: undefined,
  };
}
