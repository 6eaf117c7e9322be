/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) as a pure function of trees of tensors. As in PyTorch every tensor counts
 * its own steps: a stitch's biases are trained only when the stitch is drawn, and their averages need the correction
 * for how often that was, not for how many steps the run has made.
 */
import tf = require('@tensorflow/tfjs');

import { groupAlike, joinRows, splitRows } from '../engine/alike.js';
import { isTensor } from '../engine/tensor.js';
import { leavesOf, mapTree } from '../shared/tree.js';

/** What AdamW remembers, by the names of torch.optim.AdamW; each a tree of the form of the parameters. */
export interface AdamWState<Tree> {
  /** Exponential moving average of the gradient. */
  readonly expAvg: Tree;
  /** Exponential moving average of its square. */
  readonly expAvgSq: Tree;
  /** Steps of each tensor, a scalar. */
  readonly step: Tree;
}

export interface AdamWOptions {
  readonly weightDecay: number;
  /** Which parameters it pulls, by their paths; default: `decays`. */
  readonly decays?: (path: string, parameter: { readonly shape: readonly number[] }) => boolean;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Embeddings of a vision transformer, by the last name of their path; timm's no_weight_decay lists the same. */
const embeddings: readonly (string | undefined)[] = ['classToken', 'position'];

/**
 * Decay pulls matrices and filters only: vectors (biases, norms, layer scale) and embeddings are free of it, as in timm's
 * recipes (param_groups_weight_decay).
 */
export function decays(path: string, { shape }: { readonly shape: readonly number[] }): boolean {
  return shape.length > 1 && !embeddings.includes(path.split('/').at(-1));
}

/**
 * One step of every parameter.
 * @param gradients of the form of the parameters
 * @param rate learning rate of this step, a scalar tensor
 */
export function adamW<Tree>(
  parameters: Tree,
  gradients: Tree,
  state: AdamWState<Tree>,
  rate: tf.Tensor,
  options: AdamWOptions,
): { parameters: Tree; state: AdamWState<Tree> } {
  const byPath = (tree: Tree) => new Map(leavesOf(tree, isTensor).map(({ path, leaf }) => [path, leaf]));
  const [gradient, expAvg, expAvgSq, step] = [gradients, state.expAvg, state.expAvgSq, state.step].map(byPath);
  const moved = leavesOf(parameters, isTensor).map(({ path, leaf }) => ({
    path,
    weightDecay: (options.decays ?? decays)(path, leaf) ? options.weightDecay : 0,
    parameter: leaf,
    gradient: gradient!.get(path)!,
    expAvg: expAvg!.get(path)!,
    expAvgSq: expAvgSq!.get(path)!,
    step: step!.get(path)!,
  }));
  const stepped = new Map<string, Stepped>();
  const groups = groupAlike(
    moved,
    ({ parameter }) => parameter,
    ({ weightDecay }) => `${weightDecay}`,
  );
  for (const group of groups) {
    const steps = stepTogether(group, rate, { ...options, weightDecay: group[0]!.weightDecay });
    for (const [index, { path }] of group.entries()) stepped.set(path, steps[index]!);
  }
  const treeOf = (part: 'parameter' | keyof AdamWState<Tree>) => {
    const tree: unknown = mapTree(parameters, isTensor, (_, path) => stepped.get(path)![part]);
    return tree as Tree; // tensors in the places of tensors
  };
  return {
    parameters: treeOf('parameter'),
    state: { expAvg: treeOf('expAvg'), expAvgSq: treeOf('expAvgSq'), step: treeOf('step') },
  };
}

/** A tensor of the parameters with all that moves it. */
type Moved = AdamWState<tf.Tensor> & { readonly parameter: tf.Tensor; readonly gradient: tf.Tensor };
type Stepped = Omit<Moved, 'gradient'>;

/** Tensors of one shape and one decay, moved as the rows of one: each element as if its tensor were alone. */
function stepTogether(group: readonly Moved[], rate: tf.Tensor, options: AdamWOptions): Stepped[] {
  const rows = (part: keyof Moved) => joinRows(group.map((moved) => moved[part]));
  const after = stepOf(
    {
      parameter: rows('parameter'),
      gradient: rows('gradient'),
      expAvg: rows('expAvg'),
      expAvgSq: rows('expAvgSq'),
      step: rows('step'),
    },
    rate,
    options,
  );
  const parts = (part: keyof Stepped) => splitRows(after[part], group.length, group[0]![part].shape);
  const [parameter, expAvg, expAvgSq, step] = [parts('parameter'), parts('expAvg'), parts('expAvgSq'), parts('step')];
  return group.map((_, index) => ({
    parameter: parameter[index]!,
    expAvg: expAvg[index]!,
    expAvgSq: expAvgSq[index]!,
    step: step[index]!,
  }));
}

function stepOf(
  { parameter, gradient, ...state }: Moved,
  rate: tf.Tensor,
  { weightDecay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamWOptions,
): Stepped {
  const expAvg = state.expAvg.mul(beta1).add(gradient.mul(1 - beta1));
  const expAvgSq = state.expAvgSq.mul(beta2).add(gradient.square().mul(1 - beta2));
  const step = state.step.add(1);
  const correction1 = tf.sub(1, tf.pow(beta1, step));
  const correction2 = tf.sub(1, tf.pow(beta2, step));
  const change = expAvg.div(expAvgSq.div(correction2).sqrt().add(epsilon)).mul(rate.div(correction1));
  const decayed = weightDecay > 0 ? parameter.mul(tf.sub(1, rate.mul(weightDecay))) : parameter;
  return { parameter: decayed.sub(change), expAvg, expAvgSq, step };
}
