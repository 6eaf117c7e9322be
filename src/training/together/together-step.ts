/**
 * Steps of a whole family of networks on one batch after another, as one program: views, forward passes, gradients and
 * AdamW of all. The smaller ones learn from the labels and from what the largest says of the same view before it moves
 * (co-distillation; Zhang et al. 2018, Deep Mutual Learning, in one direction). What is trained crosses the bus once for
 * all steps of a program.
 */
import tf = require('@tensorflow/tfjs');

import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { TensorFunction } from '../../engine/engine.js';
import { isTensor } from '../../engine/tensor.js';
import type { FromScratch } from '../../models/from-scratch.js';
import { leavesOf, mapTree } from '../../shared/tree.js';
import { gradientsOf } from '../gradients.js';
import { smoothedTargets, softCrossEntropy } from '../loss.js';
import { adamW } from '../optimizer.js';
import type { StepState } from '../training-state.js';
import { viewsOnDevice } from './device-views.js';
import { type StackedForm, type StackedNetwork, stackDecays } from './stacked-network.js';

/** One of the networks that learn together. */
export interface Learner {
  readonly name: string;
  readonly logits: FromScratch['logits'];
  readonly form: StackedForm;
}

export interface TogetherOptions {
  readonly classes: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  /** Share of the targets that the teacher's probabilities make up. */
  readonly distillation: number;
  /** Name of the learner that teaches; it learns from the labels alone. */
  readonly teacher: string;
  /** Largest length of the gradient of a network; longer ones are shortened. */
  readonly clipNorm: number;
  readonly preprocessing: Pick<Preprocessing, 'mean' | 'std'>;
  readonly jitters: boolean;
}

/** By the names of the learners. */
export type Family<T> = Readonly<Record<string, StackedNetwork<T>>>;

export interface TogetherInputs<T> {
  readonly state: StepState<Family<T>>;
  /** uint8 [steps * batch, side, side, 3] */
  readonly images: T;
  /** [steps * batch, 7], see data/batches/raw-images.ts */
  readonly views: T;
  /** int32 [steps * batch] */
  readonly labels: T;
  /** Learning rates [steps, learners]. */
  readonly rates: T;
  /** Lambda of mixup [steps], see SupervisedStepInputs. */
  readonly mixupLambdas: T;
  /** int32 [steps, kept]: tokens that are not dropped, the class token 0 first; left out: all. */
  readonly kept?: T;
}

export interface TogetherOutputs<T> {
  readonly state: StepState<Family<T>>;
  /** [steps, learners] */
  readonly losses: T;
}

export function togetherSteps(
  learners: readonly Learner[],
  options: TogetherOptions,
): TensorFunction<TogetherInputs<tf.Tensor>, TogetherOutputs<tf.Tensor>> {
  return ({ state, images, views, labels, rates, mixupLambdas, kept }) => {
    const steps = mixupLambdas.shape[0]!;
    const batches = [images, views, labels].map((all) => tf.split(all, steps, 0));
    const perStep = [rates, mixupLambdas, ...(kept ? [kept] : [])].map((all) => tf.unstack(all));
    let moved = state;
    const losses: tf.Tensor[] = [];
    for (let step = 0; step < steps; step++) {
      const [images, views, labels] = batches.map((batch) => batch[step]!) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const [rates, lambda, kept] = perStep.map((each) => each[step]) as [tf.Tensor, tf.Tensor, tf.Tensor?];
      const seen = viewsOnDevice(images, views, options.preprocessing, options.jitters);
      const targets = smoothedTargets(labels, options.classes, options.labelSmoothing);
      const mixed = (x: tf.Tensor) => x.mul(lambda).add(x.reverse(0).mul(tf.sub(1, lambda)));
      const batch = { images: mixed(seen), targets: mixed(targets), rates: tf.unstack(rates), kept };
      const stepped = stepOf(learners, options, moved, batch);
      moved = stepped.state;
      losses.push(stepped.losses);
    }
    return { state: moved, losses: tf.stack(losses) };
  };
}

interface MixedBatch {
  readonly images: tf.Tensor;
  readonly targets: tf.Tensor;
  readonly rates: readonly tf.Tensor[];
  readonly kept: tf.Tensor | undefined;
}

function stepOf(
  learners: readonly Learner[],
  { teacher, distillation, clipNorm, weightDecay }: TogetherOptions,
  { parameters, optimizer: { expAvg, expAvgSq, step } }: StepState<Family<tf.Tensor>>,
  { images, targets, rates, kept }: MixedBatch,
): { readonly state: StepState<Family<tf.Tensor>>; readonly losses: tf.Tensor } {
  const answers = new Map<string, tf.Tensor>();
  const learn = ({ name, form, logits }: Learner, rate: tf.Tensor) => {
    const taught = name === teacher ? undefined : answers.get(teacher);
    const share = taught && tf.softmax(taught).mul(distillation);
    const wanted = share ? targets.mul(1 - distillation).add(share) : targets;
    let answer: tf.Tensor | undefined;
    const { value, gradients } = gradientsOf(parameters[name]!, (stacked) => {
      answer = tf.keep(logits(form.unstack(stacked), images, kept));
      return softCrossEntropy(answer as tf.Tensor, wanted);
    });
    // A kept tensor belongs to nobody: its copy belongs to the caller's tidy.
    answers.set(name, answer!.clone());
    answer!.dispose();
    const memory = { expAvg: expAvg[name]!, expAvgSq: expAvgSq[name]!, step: step[name]! };
    const moved = adamW(parameters[name]!, clipped(gradients, clipNorm), memory, rate, {
      weightDecay,
      decays: stackDecays,
    });
    return { name, loss: value, moved };
  };
  // The teacher goes first: the others learn from its answers.
  const order = [...learners.keys()].sort(
    (a, b) => Number(learners[b]!.name === teacher) - Number(learners[a]!.name === teacher),
  );
  const learned = new Map(order.map((index) => [index, learn(learners[index]!, rates[index]!)]));
  const inOrder = learners.map((_, index) => learned.get(index)!);
  const familyOf = (of: (of: (typeof inOrder)[number]) => StackedNetwork<tf.Tensor>) =>
    Object.fromEntries(inOrder.map((each) => [each.name, of(each)]));
  return {
    state: {
      parameters: familyOf(({ moved }) => moved.parameters),
      optimizer: {
        expAvg: familyOf(({ moved }) => moved.state.expAvg),
        expAvgSq: familyOf(({ moved }) => moved.state.expAvgSq),
        step: familyOf(({ moved }) => moved.state.step),
      },
    },
    losses: tf.stack(inOrder.map(({ loss }) => loss)),
  };
}

/** Gradients of a network, shortened together where they are longer than `norm`. */
function clipped(gradients: StackedNetwork<tf.Tensor>, norm: number): StackedNetwork<tf.Tensor> {
  const squares = leavesOf(gradients, isTensor).map(({ leaf }) => leaf.square().sum());
  const length = tf.addN(squares).sqrt();
  const factor = tf.minimum(1, tf.div(norm, length.add(1e-6)));
  const shortened: unknown = mapTree(gradients, isTensor, (gradient) => gradient.mul(factor));
  return shortened as StackedNetwork<tf.Tensor>; // tensors in the places of tensors
}
