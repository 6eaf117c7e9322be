/**
 * A network's weights as two vectors: what weight decay pulls, and what it does not. A step then moves two tensors and not
 * 150, and two cross the bus: on a GPU a small tensor costs as much as a large one.
 */
import * as tf from '@tensorflow/tfjs';
import type { Network } from '../../models/from-scratch.js';
import { type Float32NdArray, float32, isFloat32, sizeOf } from '../../shared/arrays.js';
import { leavesOf, mapTree } from '../../shared/tree.js';
import { decays } from '../optimizer.js';

export interface FlatNetwork<T> {
  /** [elements] */
  readonly decayed: T;
  /** [elements] */
  readonly free: T;
}

const parts = ['decayed', 'free'] as const;

interface Place {
  readonly path: string;
  readonly shape: readonly number[];
  readonly part: (typeof parts)[number];
}

/** How a network of a form is laid out: parts in the order of the tree. */
export class FlatForm {
  private readonly places: readonly Place[];

  constructor(private readonly template: Network<Float32NdArray>) {
    this.places = leavesOf(template, isFloat32).map(({ path, leaf: { shape } }) => ({
      path,
      shape,
      part: decays(path, { shape }) ? 'decayed' : 'free',
    }));
  }

  /** The vectors of a network of this form. */
  flatten(network: Network<Float32NdArray>): FlatNetwork<Float32NdArray> {
    const leaves = new Map(leavesOf(network, isFloat32).map(({ path, leaf }) => [path, leaf.data]));
    const vector = (part: Place['part']) => {
      const data = new Float32Array(this.of(part).reduce((sum, { shape }) => sum + sizeOf(shape), 0));
      let at = 0;
      for (const { path, shape } of this.of(part)) {
        data.set(leaves.get(path)!, at);
        at += sizeOf(shape);
      }
      return float32([data.length], data);
    };
    return { decayed: vector('decayed'), free: vector('free') };
  }

  /** Undoes `flatten`, without a copy. */
  networkOf(flat: FlatNetwork<Float32NdArray>): Network<Float32NdArray> {
    const leaves = new Map<string, Float32NdArray>();
    for (const part of parts) {
      let at = 0;
      for (const { path, shape } of this.of(part)) {
        leaves.set(path, float32(shape, flat[part].data.subarray(at, at + sizeOf(shape))));
        at += sizeOf(shape);
      }
    }
    return this.treeOf(leaves);
  }

  /** The network that the two vectors are, inside of a program. */
  unflatten(flat: FlatNetwork<tf.Tensor>): Network<tf.Tensor> {
    const leaves = new Map<string, tf.Tensor>();
    for (const part of parts) {
      const places = this.of(part);
      const split = tf.split(
        flat[part],
        places.map(({ shape }) => sizeOf(shape)),
      );
      for (const [index, { path, shape }] of places.entries()) leaves.set(path, split[index]!.reshape([...shape]));
    }
    return this.treeOf(leaves);
  }

  private of(part: Place['part']): Place[] {
    return this.places.filter((place) => place.part === part);
  }

  private treeOf<T>(leaves: ReadonlyMap<string, T>): Network<T> {
    const tree: unknown = mapTree(this.template, isFloat32, (_, path) => leaves.get(path)!);
    return tree as Network<T>; // leaves in the places of leaves
  }
}
