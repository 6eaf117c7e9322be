/**
 * One step of ordinary training of one network on labels, all weights moving: forward, gradients and AdamW as one pure
 * function of tensors. Anchors are pretrained with it.
 */
import tf = require('@tensorflow/tfjs');

import type { TensorFunction } from '../engine/engine.js';
import type { FromScratch, Network } from '../models/from-scratch.js';
import { gradientsOf } from './gradients.js';
import { smoothedTargets, softCrossEntropy } from './loss.js';
import { adamW } from './optimizer.js';
import type { StepState } from './training-state.js';

export interface SupervisedStepOptions {
  readonly classes: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
}

export interface SupervisedStepInputs<T> {
  readonly state: StepState<Network<T>>;
  /** [batch, side, side, 3] */
  readonly images: T;
  /** int32 [batch] */
  readonly labels: T;
  /** Learning rate, a scalar. */
  readonly rate: T;
  /**
   * Lambda of mixup (Zhang et al. 2018), a scalar: each image is mixed with the one from the other end of the batch, of which
   * 1 - lambda is taken. 1: no mixup.
   */
  readonly mixupLambda: T;
  /** int32 [kept]: tokens that are not dropped, the class token 0 first (PatchDropout, Liu et al. 2023); left out: all. */
  readonly kept?: T;
}

export interface SupervisedStepOutputs<T> {
  readonly state: StepState<Network<T>>;
  /** A scalar. */
  readonly loss: T;
}

export function supervisedStep(
  { logits }: Pick<FromScratch, 'logits'>,
  { classes, weightDecay, labelSmoothing }: SupervisedStepOptions,
): TensorFunction<SupervisedStepInputs<tf.Tensor>, SupervisedStepOutputs<tf.Tensor>> {
  return ({ state, images, labels, rate, mixupLambda, kept }) => {
    const mixed = (x: tf.Tensor) => x.mul(mixupLambda).add(x.reverse(0).mul(tf.sub(1, mixupLambda)));
    const inputs = mixed(images);
    const targets = mixed(smoothedTargets(labels, classes, labelSmoothing));
    const { value, gradients } = gradientsOf(state.parameters, (network) =>
      softCrossEntropy(logits(network, inputs, kept), targets),
    );
    const stepped = adamW(state.parameters, gradients, state.optimizer, rate, { weightDecay });
    return { state: { parameters: stepped.parameters, optimizer: stepped.state }, loss: value };
  };
}
