/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) as a pure function of named tensors. As in PyTorch every tensor counts
 * its own updates: a stitch's biases are trained only when the stitch is drawn, and their moments need the correction
 * for how often that was, not for how many steps the run has made.
 */
import * as tf from '@tensorflow/tfjs';
import { type Float32NdArray, float32 } from '../shared/arrays.js';

export type Named<T> = Readonly<Record<string, T>>;

/** Exponential moments of the gradients, and the number of updates of each tensor as a scalar. */
export interface Moments<T> {
  readonly first: Named<T>;
  readonly second: Named<T>;
  readonly updates: Named<T>;
}

export interface AdamWOptions {
  readonly weightDecay: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Decay pulls matrices only: vectors (biases, norms, layer scale) and tokens are free of it, as in timm's recipes. */
export function decays(name: string): boolean {
  return !/(^|\/)(bias|offset|scale|layerScale|classToken|position)(\/|$)/.test(name);
}

export function zeroMoments(parameters: Named<Float32NdArray>): Moments<Float32NdArray> {
  const each = (make: (parameter: Float32NdArray) => Float32NdArray) =>
    Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, make(parameter)]));
  return {
    first: each(({ shape }) => float32(shape)),
    second: each(({ shape }) => float32(shape)),
    updates: each(() => float32([])),
  };
}

/**
 * One update of every parameter that has a gradient.
 * @param rate learning rate of this step, a scalar tensor
 */
export function adamW(
  parameters: Named<tf.Tensor>,
  gradients: Named<tf.Tensor>,
  moments: Moments<tf.Tensor>,
  rate: tf.Tensor,
  { weightDecay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamWOptions,
): { parameters: Record<string, tf.Tensor>; moments: Moments<tf.Tensor> } {
  const next: Record<string, tf.Tensor> = {};
  const first: Record<string, tf.Tensor> = {};
  const second: Record<string, tf.Tensor> = {};
  const updates: Record<string, tf.Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    const m = moments.first[name]!.mul(beta1).add(gradient.mul(1 - beta1));
    const v = moments.second[name]!.mul(beta2).add(gradient.square().mul(1 - beta2));
    const count = moments.updates[name]!.add(1);
    const correction1 = tf.sub(1, tf.pow(beta1, count));
    const correction2 = tf.sub(1, tf.pow(beta2, count));
    const step = m.div(v.div(correction2).sqrt().add(epsilon)).mul(rate.div(correction1));
    const parameter = parameters[name]!;
    const decayed = decays(name) && weightDecay > 0 ? parameter.mul(tf.sub(1, rate.mul(weightDecay))) : parameter;
    next[name] = decayed.sub(step);
    first[name] = m;
    second[name] = v;
    updates[name] = count;
  }
  return { parameters: next, moments: { first, second, updates } };
}
