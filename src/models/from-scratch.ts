/** What pretraining needs of the networks of a family: fresh weights, logits, and the file they are written as. */
import type * as tf from '@tensorflow/tfjs';
import type { Float32NdArray, StateDict } from '../shared/arrays.js';
import type { Random } from '../shared/random.js';
import { type Architecture, imageInputOf, numFeatures } from './architecture.js';
import { runNetwork } from './blockwise.js';
import type { NetworkWeights } from './family.js';
import type { Linear } from './layers.js';
import { initialHead, initialWeights, stateDictOf } from './weights.js';

/** A network that can be trained: its body and its classifier. */
export interface Network<T> {
  readonly weights: NetworkWeights<T>;
  readonly head: Linear<T>;
}

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
  return {
    fresh: (classes, random) => {
      // The body is drawn before the head.
      const weights = initialWeights(architecture, random);
      return { weights, head: initialHead(numFeatures(architecture), classes, random) };
    },
    logits: ({ weights, head }, images, kept) => runNetwork(architecture, weights, head, images, kept),
    stateDictOf: ({ weights, head }) => stateDictOf(architecture, weights, head),
    patches: imageInputOf(architecture).patches,
  };
}
