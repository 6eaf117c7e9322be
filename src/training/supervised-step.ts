/**
 * One step of ordinary training of one network on labels, all weights moving: forward, gradients and AdamW as one pure
 * function of tensors. Anchors are pretrained with it.
 */
import * as tf from '@tensorflow/tfjs';
import type { TensorFunction } from '../engine/engine.js';
import type { FromScratch, Network } from '../models/from-scratch.js';
import type { Float32NdArray } from '../shared/arrays.js';
import { smoothedTargets, softCrossEntropy } from './loss.js';
import { adamW, type Moments, type Named } from './optimizer.js';
import { treeOf } from './parameters.js';

export interface SupervisedStepOptions {
  readonly classes: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
}

export interface SupervisedStepInputs<T> {
  readonly parameters: Named<T>;
  readonly moments: Moments<T>;
  /** [batch, side, side, 3] */
  readonly images: T;
  /** int32 [batch] */
  readonly labels: T;
  /** Scalars: the learning rate, and the share of the own image in mixup (1: none; Zhang et al. 2018). */
  readonly rate: T;
  readonly ownShare: T;
  /** int32 [kept]: tokens that are not dropped, the class token 0 first (PatchDropout, Liu et al. 2023); left out: all. */
  readonly kept?: T;
}

export interface SupervisedStepOutputs<T> {
  readonly parameters: Named<T>;
  readonly moments: Moments<T>;
  /** A scalar. */
  readonly loss: T;
}

/** @param template any tree of the network's form: tells where the named parameters belong */
export function supervisedStep(
  { logits }: Pick<FromScratch, 'logits'>,
  template: Network<Float32NdArray>,
  { classes, weightDecay, labelSmoothing }: SupervisedStepOptions,
): TensorFunction<SupervisedStepInputs<tf.Tensor>, SupervisedStepOutputs<tf.Tensor>> {
  return ({ parameters, moments, images, labels, rate, ownShare, kept }) => {
    const mixed = (x: tf.Tensor) => x.mul(ownShare).add(x.reverse(0).mul(tf.sub(1, ownShare)));
    const inputs = mixed(images);
    const targets = mixed(smoothedTargets(labels, classes, labelSmoothing));
    const names = Object.keys(parameters);
    const loss = (...values: tf.Tensor[]) => {
      const named = Object.fromEntries(names.map((name, index) => [name, values[index]!]));
      const network = treeOf(template, named);
      return softCrossEntropy(logits(network, inputs, kept), targets);
    };
    const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => parameters[name]!));
    const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index]!]));
    return { ...adamW(parameters, gradients, moments, rate, { weightDecay }), loss: value };
  };
}
