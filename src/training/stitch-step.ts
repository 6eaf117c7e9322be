/**
 * One training step of a stitch, as two programs (paper section 4.2):
 *
 * 1. The teacher, one program for all steps of in-place distillation: the largest anchor learns from the labels; its
 *    gradients and its logits.
 * 2. The sampled stitch: learns from the teacher's soft predictions, or from the labels without distillation; AdamW then
 *    moves everything that one of the two has a gradient for, by the sum of both.
 *
 * Saliency of the stitch: the mean of |parameter x gradient| over its trainables, with the stitch's own gradient.
 */
import * as tf from '@tensorflow/tfjs';
import type { TensorFunction } from '../engine/engine.js';
import type { Architecture } from '../models/architecture.js';
import type { Stitch } from '../stitching/space/stitch.js';
import { type FrozenPath, runStitch } from '../stitching/stitchable-network.js';
import { crossEntropy, distillation } from './loss.js';
import { adamW, type Moments, type Named } from './optimizer.js';

export interface TeacherInputs<T> {
  readonly frozen: FrozenPath<T>;
  /** The largest anchor's trainables. */
  readonly parameters: Named<T>;
  /** [batch, side, side, 3] and int32 [batch] */
  readonly images: T;
  readonly labels: T;
}

export interface TeacherOutputs<T> {
  readonly logits: T;
  /** Cross-entropy with the labels, a scalar. */
  readonly loss: T;
  readonly gradients: Named<T>;
}

export interface StitchStepInputs<T> extends TeacherInputs<T> {
  /** Trainables of the stitch, and of the largest anchor where it teaches. */
  readonly parameters: Named<T>;
  readonly moments: Moments<T>;
  /** Learning rate, a scalar. */
  readonly rate: T;
  /** Left out: the stitch learns from the labels. */
  readonly teacher?: TeacherOutputs<T>;
}

export interface StitchStepOutputs<T> {
  readonly parameters: Named<T>;
  readonly moments: Moments<T>;
  /**
   * [4]: loss, saliency (0 where it is not measured), the teacher's loss (0 without one), cross-entropy with the labels;
   * together, to be read at once.
   */
  readonly measures: T;
}

export interface StitchStepOptions {
  readonly architectures: readonly Architecture[];
  readonly weightDecay: number;
  readonly distillation?: { readonly temperature: number; readonly weight: number };
  /** Whether the saliency is computed: only importance scores need it. */
  readonly saliency: boolean;
}

/** Loss and gradients of a stitch with respect to `names` among its parameters. */
export function gradientsOf(
  names: readonly string[],
  parameters: Named<tf.Tensor>,
  loss: (parameters: Named<tf.Tensor>) => tf.Scalar,
): { value: tf.Tensor; gradients: Record<string, tf.Tensor> } {
  const of = (...values: tf.Tensor[]) => loss(Object.fromEntries(names.map((name, index) => [name, values[index]!])));
  const { value, grads } = tf.valueAndGrads(of)(names.map((name) => parameters[name]!));
  return { value, gradients: Object.fromEntries(names.map((name, index) => [name, grads[index]!])) };
}

export function teacherStep(
  teacher: Stitch,
  { architectures }: Pick<StitchStepOptions, 'architectures'>,
): TensorFunction<TeacherInputs<tf.Tensor>, TeacherOutputs<tf.Tensor>> {
  return ({ frozen, parameters, images, labels }) => {
    let kept: tf.Tensor | undefined;
    const { value, gradients } = gradientsOf(Object.keys(parameters), parameters, (named) => {
      kept = tf.keep(runStitch(teacher, frozen, named, images, architectures));
      return crossEntropy(kept, labels);
    });
    // A kept tensor belongs to nobody: its copy belongs to the caller's tidy.
    const logits = kept!.clone();
    kept!.dispose();
    return { logits, loss: value, gradients };
  };
}

/** @param names the stitch's trainables; other parameters are moved by the teacher's gradients alone */
export function stitchStep(
  stitch: Stitch,
  names: readonly string[],
  options: StitchStepOptions,
): TensorFunction<StitchStepInputs<tf.Tensor>, StitchStepOutputs<tf.Tensor>> {
  const { architectures, weightDecay, saliency } = options;
  return (inputs) => {
    const { frozen, parameters, moments, images, labels, rate, teacher } = inputs;
    let kept: tf.Tensor | undefined;
    const { value, gradients } = gradientsOf(names, parameters, (named) => {
      const logits = runStitch(stitch, frozen, named, images, architectures);
      if (!teacher || !options.distillation) return crossEntropy(logits, labels);
      kept = tf.keep(logits);
      const { temperature, weight } = options.distillation;
      return distillation(logits, teacher.logits, temperature).mul(weight);
    });
    const labelLoss = kept ? crossEntropy(kept, labels) : value;
    kept?.dispose();
    const summed = { ...gradients };
    for (const [name, gradient] of Object.entries(teacher?.gradients ?? {})) {
      summed[name] = summed[name]?.add(gradient) ?? gradient;
    }
    const measured = saliency ? saliencyOf(parameters, gradients) : tf.scalar(0);
    return {
      ...adamW(parameters, summed, moments, rate, { weightDecay }),
      measures: tf.stack([value, measured, teacher?.loss ?? tf.scalar(0), labelLoss]),
    };
  };
}

/** Mean of |parameter x gradient| over all elements of the tensors that have a gradient. */
export function saliencyOf(parameters: Named<tf.Tensor>, gradients: Named<tf.Tensor>): tf.Tensor {
  const names = Object.keys(gradients);
  const sums = names.map((name) => parameters[name]!.mul(gradients[name]!).abs().sum());
  const count = names.reduce((sum, name) => sum + parameters[name]!.size, 0);
  return tf.addN(sums).div(count);
}
