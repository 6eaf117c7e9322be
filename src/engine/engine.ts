/**
 * What an engine is. Mathematics is written once as pure functions of TensorFlow.js tensors; an engine compiles such a
 * function and runs it on values that live on its device.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NdArray } from '../shared/arrays.js';
import type { EngineName } from '../shared/engine-names.js';
import type { Tree } from '../shared/tree.js';

/** An array on the engine's device. Only the engine that made it can read it. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  /** Engine-private storage. */
  readonly storage: unknown;
}

/** Tells the leaves of a tree of values from its branches. */
export function isValue(node: Tree<Value>): node is Value {
  return typeof node === 'object' && 'storage' in node;
}

export type TensorFunction = (inputs: never) => Tree<Tensor>;

/** A compiled function: same trees, leaves are device values. Compiled anew for each new set of input shapes. */
export type Compiled = (inputs: Tree<Value>) => Promise<Tree<Value>>;

export interface Engine {
  readonly name: EngineName;
  /** The device that really computes, for people: "cpu, 2 threads", "cuda", "webgpu". */
  readonly device: string;
  /** Copies (or wraps) a host array. */
  put(array: NdArray): Value;
  /** Copies (or unwraps) to the host. */
  get(value: Value): Promise<NdArray>;
  /** Gives back the device memory of all values of a tree. */
  free(tree: Tree<Value>): void;
  /**
   * Compiles a pure function of tensors. `key` names what it computes (e.g. the stitch): the same key must mean the same
   * function, because compiled programs are kept in a bounded cache under key and input shapes.
   */
  compile(key: string, fn: TensorFunction): Compiled;
  /** Frees all compiled programs. */
  dispose(): Promise<void>;
}
