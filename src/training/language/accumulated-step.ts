/**
 * A step of a stitch over several micro batches, in three programs, because gradients are summed before anything moves:
 *
 * 1. the teacher of in-place distillation, as in stitch-step.ts;
 * 2. the gradients of the stitch and of its teacher on one micro batch, added to those of the micro batches before;
 * 3. their means, cut to a longest norm, and AdamW.
 *
 * Every micro batch counts the same, as in transformers' Trainer, which alpaca-lora trains with.
 */
import tf = require('@tensorflow/tfjs');

import type { TensorFunction } from '../../engine/engine.js';
import { isTensor } from '../../engine/tensor.js';
import { leavesOf, mapTree } from '../../shared/tree.js';
import { combine, type Trainables } from '../../stitching/parameters/trainables.js';
import type { Stitch } from '../../stitching/space/stitch.js';
import { adamW } from '../optimizer.js';
import {
  addGradients,
  learnStitch,
  type StitchStepOptions,
  saliencyOf,
  type TeacherInputs,
  type TeacherOutputs,
} from '../stitch-step.js';
import type { StepState } from '../training-state.js';

/** Sums over micro batches. */
export interface GradientSums<T> {
  /** Of what the stitch trains, by its own loss. */
  readonly own: Trainables<T>;
  /** Of what the teacher trains, by its loss. */
  readonly teacher?: Trainables<T>;
  /** [3]: loss, the teacher's loss (0 without one), cross-entropy of the stitch with the labels. */
  readonly measures: T;
}

export interface GradientInputs<T> extends TeacherInputs<T> {
  /** Left out: the stitch learns from the labels. */
  readonly teacher?: TeacherOutputs<T>;
  /** Of the micro batches before; left out before the first. */
  readonly before?: GradientSums<T>;
}

/** Gradients on one micro batch, added to those before. */
export function summedGradients(
  stitch: Stitch,
  options: Pick<StitchStepOptions, 'architectures' | 'distillation' | 'dropout'>,
): TensorFunction<GradientInputs<tf.Tensor>, GradientSums<tf.Tensor>> {
  const { dropout: rate = 0 } = options;
  return ({ frozen, parameters, images, labels, teacher, before, dropout: keys }) => {
    const given = { frozen, parameters, images, labels, teacher };
    const { loss, labelLoss, gradients } = learnStitch(stitch, options, given, { dropout: keys && { rate, keys } });
    const measures = tf.stack([loss, teacher?.loss ?? tf.scalar(0), labelLoss]);
    if (!before) return { own: gradients, ...(teacher && { teacher: copied(teacher.gradients) }), measures };
    return {
      own: addGradients(before.own, gradients),
      ...(teacher && before.teacher && { teacher: addGradients(before.teacher, teacher.gradients) }),
      measures: before.measures.add(measures),
    };
  };
}

export interface MovedInputs<T> {
  /** Trainables of the stitch, and of the teacher where it learns. */
  readonly state: StepState<Trainables<T>>;
  readonly sums: GradientSums<T>;
  /** Learning rate, and 1 / number of micro batches: scalars. */
  readonly rate: T;
  readonly share: T;
}

export interface MovedOutputs<T> {
  readonly state: StepState<Trainables<T>>;
  /** [5]: loss, saliency (0 where it is not measured), teacher's loss, cross-entropy with the labels, gradient norm. */
  readonly measures: T;
}

export interface MoveOptions extends Pick<StitchStepOptions, 'weightDecay' | 'saliency'> {
  /** Longest gradient; left out: any. */
  readonly clipNorm?: number;
}

/** Moves what was trained by the mean of the summed gradients. */
export function movedByMeans(options: MoveOptions): TensorFunction<MovedInputs<tf.Tensor>, MovedOutputs<tf.Tensor>> {
  const { weightDecay, saliency, clipNorm } = options;
  return ({ state, sums, rate, share }) => {
    const meanOf = (sum: Trainables<tf.Tensor>) => mapped(sum, (gradient) => gradient.mul(share));
    const own = meanOf(sums.own);
    const all = sums.teacher ? addGradients(own, meanOf(sums.teacher)) : own;
    const norm = normOf(all);
    // As torch.nn.utils.clip_grad_norm_.
    const factor = clipNorm === undefined ? undefined : tf.minimum(tf.scalar(clipNorm).div(norm.add(1e-6)), 1);
    const gradients = factor ? mapped(all, (gradient) => gradient.mul(factor)) : all;
    const moved = adamW(state.parameters, gradients, state.optimizer, rate, { weightDecay });
    const parameters = combine<tf.Tensor, tf.Tensor, tf.Tensor>(state.parameters, own, (value, slope) =>
      value && slope ? value : undefined,
    );
    const measured = saliency ? saliencyOf(parameters, own) : tf.scalar(0);
    const [loss, teacherLoss, labelLoss] = tf.unstack(sums.measures.mul(share));
    return {
      state: { parameters: moved.parameters, optimizer: moved.state },
      measures: tf.stack([loss!, measured.reshape([]), teacherLoss!, labelLoss!, norm]),
    };
  };
}

/** An input cannot be given back as an output. */
function copied(tree: Trainables<tf.Tensor>): Trainables<tf.Tensor> {
  return mapped(tree, (gradient) => gradient.clone());
}

function mapped(tree: Trainables<tf.Tensor>, change: (leaf: tf.Tensor) => tf.Tensor): Trainables<tf.Tensor> {
  const result: unknown = mapTree(tree, isTensor, change);
  return result as Trainables<tf.Tensor>; // tensors in the places of tensors
}

function normOf(tree: Trainables<tf.Tensor>): tf.Tensor {
  return tf.addN(leavesOf(tree, isTensor).map(({ leaf }) => leaf.square().sum())).sqrt();
}
