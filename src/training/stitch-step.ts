/**
 * One training step of a stitch, as two programs (paper section 4.2):
 *
 * 1. The teacher, one program for all steps of in-place distillation: the largest anchor learns from the labels; its
 *    gradients and its logits.
 * 2. The sampled stitch: learns from the teacher's soft predictions, or from the labels without distillation; AdamW then
 *    moves everything that one of the two has a gradient for, by the sum of both.
 *
 * Several stitches that learn from one pass of the teacher take their steps one after another, as in the sandwich rule of
 * OFA and BigNAS: the teacher first, by its own gradients, then each stitch from the teacher's soft predictions.
 *
 * Saliency of the stitch: the mean of |parameter x gradient| over its trainables, with the stitch's own gradient.
 */
import tf = require('@tensorflow/tfjs');

import { groupAlike, joinRows } from '../engine/alike.js';
import type { TensorFunction } from '../engine/engine.js';
import type { DropoutKeys } from '../engine/ops/dropout.js';
import { isTensor } from '../engine/tensor.js';
import type { Architecture } from '../models/architecture.js';
import { leavesOf } from '../shared/tree.js';
import { combine, pickTrainables, type Trainables } from '../stitching/parameters/trainables.js';
import type { Stitch } from '../stitching/space/stitch.js';
import { type FrozenPath, type LeftOut, runStitch } from '../stitching/stitchable-network.js';
import { gradientsOf } from './gradients.js';
import { crossEntropy, distillation } from './loss.js';
import { adamW } from './optimizer.js';
import type { StepState } from './training-state.js';

export interface TeacherInputs<T> {
  readonly frozen: FrozenPath<T>;
  /** The largest anchor's trainables. */
  readonly parameters: Trainables<T>;
  /** [batch, side, side, 3] and int32 [batch]; of language models both int32 [batch, length] (see loss.ts). */
  readonly images: T;
  readonly labels: T;
  /** Left out: no dropout. */
  readonly dropout?: DropoutKeys<T>;
  /** int32 [kept]: tokens that are not dropped (PatchDropout, Liu et al. 2023); left out: all. */
  readonly kept?: T;
}

/** What a stitch learns from. */
export interface Lesson<T> {
  /** Of the teacher: [batch, classes] */
  readonly logits: T;
  /** The teacher's cross-entropy with the labels, a scalar. */
  readonly loss: T;
}

export interface TeacherOutputs<T> extends Lesson<T> {
  readonly gradients: Trainables<T>;
}

export interface LearningTeacherInputs<T> extends Omit<TeacherInputs<T>, 'parameters'> {
  /** The largest anchor's trainables. */
  readonly state: StepState<Trainables<T>>;
  /** Learning rate, a scalar. */
  readonly rate: T;
}

export interface LearningTeacherOutputs<T> extends Lesson<T> {
  readonly state: StepState<Trainables<T>>;
}

export interface StitchStepInputs<T> extends Omit<TeacherInputs<T>, 'parameters'> {
  /** Trainables of the stitch, and of the largest anchor where its gradients are given. */
  readonly state: StepState<Trainables<T>>;
  /** Learning rate, a scalar. */
  readonly rate: T;
  /** Left out: the stitch learns from the labels. */
  readonly teacher?: Lesson<T> & Partial<TeacherOutputs<T>>;
}

export interface StitchStepOutputs<T> {
  readonly state: StepState<Trainables<T>>;
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
  /** Share of the inputs of low-rank updates that is dropped, where keys are given; default 0. */
  readonly dropout?: number;
}

export function teacherStep(
  teacher: Stitch,
  { architectures, dropout: rate = 0 }: Pick<StitchStepOptions, 'architectures' | 'dropout'>,
): TensorFunction<TeacherInputs<tf.Tensor>, TeacherOutputs<tf.Tensor>> {
  return ({ frozen, parameters, images, labels, dropout: keys, kept }) => {
    const leftOut = { dropout: keys && { rate, keys }, kept };
    let answers: tf.Tensor | undefined;
    const { value, gradients } = gradientsOf(parameters, (trainables) => {
      answers = tf.keep(runStitch(teacher, frozen, trainables, images, architectures, leftOut));
      return crossEntropy(answers, labels);
    });
    // A kept tensor belongs to nobody: its copy belongs to the caller's tidy.
    const logits = answers!.clone();
    answers!.dispose();
    return { logits, loss: value, gradients };
  };
}

/** The teacher's step where it learns before the stitches do; its logits are those from before it has learned. */
export function learningTeacherStep(
  teacher: Stitch,
  options: Pick<StitchStepOptions, 'architectures' | 'weightDecay'>,
): TensorFunction<LearningTeacherInputs<tf.Tensor>, LearningTeacherOutputs<tf.Tensor>> {
  const teach = teacherStep(teacher, options);
  return ({ state, rate, ...inputs }) => {
    const { gradients, ...lesson } = teach({ ...inputs, parameters: state.parameters });
    const stepped = adamW(state.parameters, gradients, state.optimizer, rate, options);
    return { ...lesson, state: { parameters: stepped.parameters, optimizer: stepped.state } };
  };
}

/** @param own what the stitch trains; other parameters of the state are moved by the teacher's gradients alone */
export function stitchStep(
  stitch: Stitch,
  own: Trainables<unknown>,
  options: StitchStepOptions,
): TensorFunction<StitchStepInputs<tf.Tensor>, StitchStepOutputs<tf.Tensor>> {
  const { weightDecay, saliency } = options;
  return ({ frozen, state, images, labels, rate, teacher, kept }) => {
    const parameters = pickTrainables(state.parameters, own);
    const given = { frozen, parameters, images, labels, teacher };
    const { loss, labelLoss, gradients } = learnStitch(stitch, options, given, { kept });
    const summed = teacher?.gradients ? addGradients(gradients, teacher.gradients) : gradients;
    const stepped = adamW(state.parameters, summed, state.optimizer, rate, { weightDecay });
    const measured = saliency ? saliencyOf(parameters, gradients) : tf.scalar(0);
    return {
      state: { parameters: stepped.parameters, optimizer: stepped.state },
      measures: tf.stack([loss, measured, teacher?.loss ?? tf.scalar(0), labelLoss]),
    };
  };
}

/** What a stitch learns in a step, from the teacher's soft predictions or from the labels; `labelLoss` is of the labels. */
export function learnStitch(
  stitch: Stitch,
  { architectures, distillation: teaching }: Pick<StitchStepOptions, 'architectures' | 'distillation'>,
  {
    frozen,
    parameters,
    images,
    labels,
    teacher,
  }: Pick<TeacherInputs<tf.Tensor>, 'frozen' | 'parameters' | 'images' | 'labels'> & {
    readonly teacher: Pick<Lesson<tf.Tensor>, 'logits'> | undefined;
  },
  leftOut: LeftOut,
): { readonly loss: tf.Scalar; readonly labelLoss: tf.Scalar; readonly gradients: Trainables<tf.Tensor> } {
  let answers: tf.Tensor | undefined;
  const { value, gradients } = gradientsOf(parameters, (trainables) => {
    const logits = runStitch(stitch, frozen, trainables, images, architectures, leftOut);
    if (!teacher || !teaching) return crossEntropy(logits, labels);
    answers = tf.keep(logits);
    return distillation(logits, teacher.logits, labels, teaching.temperature).mul(teaching.weight);
  });
  const labelLoss = answers ? crossEntropy(answers, labels) : value;
  answers?.dispose();
  return { loss: value, labelLoss, gradients };
}

/** The gradients of both, added where both have one. */
export function addGradients(one: Trainables<tf.Tensor>, other: Trainables<tf.Tensor>): Trainables<tf.Tensor> {
  return combine<tf.Tensor, tf.Tensor, tf.Tensor>(one, other, (a, b) => (a && b ? a.add(b) : (a ?? b)));
}

/** Mean of |parameter x gradient| over all elements of two trees of one form. */
export function saliencyOf<Tree>(parameters: Tree, gradients: Tree): tf.Tensor {
  const slopes = leavesOf(gradients, isTensor);
  const pairs = leavesOf(parameters, isTensor).map(({ leaf }, index) => ({ value: leaf, slope: slopes[index]!.leaf }));
  const sums = groupAlike(pairs, ({ value }) => value).map((group) => {
    const [values, gradient] = [group.map(({ value }) => value), group.map(({ slope }) => slope)].map(joinRows);
    return values!.mul(gradient!).abs().sum();
  });
  const count = pairs.reduce((sum, { value }) => sum + value.size, 0);
  return tf.addN(sums).div(count);
}
