/**
 * A network's weights as a few tensors: those of one shape stacked, what weight decay pulls apart from what it does not. A step
 * then moves a dozen tensors and not 150. Stacks of equal parts, not one long vector: for parts of different sizes ONNX
 * Runtime's CUDA provider makes a table on the host with an entry for each element, in every run.
 */
import tf = require('@tensorflow/tfjs');

import type { Network } from '../../models/from-scratch.js';
import { type Float32NdArray, float32, isFloat32, sizeOf } from '../../shared/arrays.js';
import { groupBy } from '../../shared/groups.js';
import { leavesOf, mapTree } from '../../shared/tree.js';
import { decays } from '../optimizer.js';

/** Stacks [tensors, ...shape] by what they hold: "decayed 128x512". */
export type StackedNetwork<T> = Readonly<Record<string, T>>;

/** Whether weight decay pulls a stack of this name. */
export function stackDecays(name: string): boolean {
  return name.startsWith('decayed ');
}

interface Place {
  readonly path: string;
  readonly shape: readonly number[];
}

/** How a network of a form is stacked: in the order of its tree. */
export class StackedForm {
  private readonly stacks: ReadonlyMap<string, readonly Place[]>;

  constructor(private readonly template: Network<Float32NdArray>) {
    const places = leavesOf(template, isFloat32).map(({ path, leaf: { shape } }): Place => ({ path, shape }));
    this.stacks = groupBy(
      places,
      ({ path, shape }) => `${decays(path, { shape }) ? 'decayed' : 'free'} ${shape.join('x')}`,
    );
  }

  /** The stacks of a network of this form. */
  stack(network: Network<Float32NdArray>): StackedNetwork<Float32NdArray> {
    const leaves = new Map(leavesOf(network, isFloat32).map(({ path, leaf }) => [path, leaf.data]));
    return this.mapped((places) => {
      const [{ shape }] = places as [Place];
      const stacked = float32([places.length, ...shape]);
      for (const [index, { path }] of places.entries()) stacked.data.set(leaves.get(path)!, index * sizeOf(shape));
      return stacked;
    });
  }

  /** Undoes `stack`, without a copy. */
  networkOf(stacked: StackedNetwork<Float32NdArray>): Network<Float32NdArray> {
    return this.treeOf((places, name) =>
      places.map(({ shape }, index) => {
        const size = sizeOf(shape);
        return float32(shape, stacked[name]!.data.subarray(index * size, (index + 1) * size));
      }),
    );
  }

  /** The network that the stacks are, inside of a program. */
  unstack(stacked: StackedNetwork<tf.Tensor>): Network<tf.Tensor> {
    return this.treeOf((places, name) => {
      const stack = stacked[name]!;
      // TensorFlow.js has no gradient for a split into one part.
      const parts = places.length === 1 ? [stack] : tf.split(stack, places.length, 0);
      return parts.map((part, index) => part.reshape([...places[index]!.shape]));
    });
  }

  private mapped<T>(of: (places: readonly Place[]) => T): StackedNetwork<T> {
    return Object.fromEntries([...this.stacks].map(([name, places]) => [name, of(places)]));
  }

  private treeOf<T>(partsOf: (places: readonly Place[], name: string) => readonly T[]): Network<T> {
    const leaves = new Map<string, T>();
    for (const [name, places] of this.stacks) {
      const parts = partsOf(places, name);
      for (const [index, { path }] of places.entries()) leaves.set(path, parts[index]!);
    }
    const tree: unknown = mapTree(this.template, isFloat32, (_, path) => leaves.get(path)!);
    return tree as Network<T>; // leaves in the places of leaves
  }
}
