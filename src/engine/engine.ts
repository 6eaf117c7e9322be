/**
 * What an engine is. Mathematics is written once as pure functions of TensorFlow.js tensors; an engine compiles such a
 * function and runs it on values that live on its device.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NdArray } from '../shared/arrays.js';
import type { EngineName, Precision } from '../shared/engine-names.js';
import type { Mapped } from '../shared/tree.js';
import type { GraphParts } from './onnx/model-proto.js';
import type { GraphSession } from './onnx/programs/backend.js';

/** An array on the engine's device. Only the engine that made it can read it. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: NdArray['dtype'];
  /** Engine-private storage. */
  readonly storage: unknown;
}

/** Tells the leaves of a tree of values from its branches. */
export function isValue(node: unknown): node is Value {
  return typeof node === 'object' && node !== null && 'storage' in node;
}

/** Tells the leaves of a tree of names from its branches: where programs write their results. */
export function isName(node: unknown): node is string {
  return typeof node === 'string';
}

/** @throws Error for a result of another type than values have */
export function requireValueType(dtype: string): asserts dtype is 'float32' | 'int32' {
  if (dtype === 'float32' || dtype === 'int32') return;
  throw new Error(`a compiled function returned a ${dtype} tensor: cast it to float32 or int32`);
}

/** A pure function from a tree of tensors to a tree of tensors; by default of any trees. */
export type TensorFunction<In = never, Out = unknown> = (inputs: In) => Out;

/** A tree of tensors with values in their places. */
export type Values<Tensors> = Mapped<Tensors, Tensor, Value>;

/** A compiled function: the same trees, of device values. Compiled anew for each new set of input shapes. */
export type Compiled<In, Out> = (inputs: Values<In>) => Promise<Values<Out>>;

/** A pure function of trees of tensors, of which the first stays the same. */
export type HoldingFunction<Held, In, Out> = (held: Held, inputs: In) => Out;

/** Compiled programs that are kept, and bytes of the constants in them. */
export interface ProgramMemory {
  readonly programs: number;
  readonly constants: number;
}

export interface Engine {
  readonly name: EngineName;
  /** The device that really computes, for people: "cpu, 2 threads", "cuda", "webgpu". */
  readonly device: string;
  /** What matrix products are computed in. */
  readonly precision: Precision;
  /** Why values cross the bus in every run of a program, where they could stay on the card; absent where nothing is lost. */
  readonly crossing?: string;
  /** Whether images are best sent as bytes, which a program normalises: where they cross a bus. Default false. */
  readonly imagesAsBytes?: boolean;
  /**
   * Copies (or wraps) a host array.
   * @param isConstant whether its elements never change, as those of frozen weights: a program may hold a copy of its own
   */
  put(array: NdArray, isConstant?: boolean): Value;
  /** Copies (or unwraps) to the host. */
  get(value: Value): Promise<NdArray>;
  /** Gives back the device memory of all values of a tree. */
  free(tree: object): void;
  /**
   * Compiles a pure function of tensors. `key` names what it computes (e.g. the stitch): the same key must mean the same
   * function, because compiled programs are kept in a bounded cache under key and input shapes.
   */
  compile<In, Out>(key: string, fn: TensorFunction<In, Out>): Compiled<In, Out>;
  /**
   * As `compile`, of a function of values that stay the same and of inputs: a run need not look at thousands of weights.
   * Left out by engines that have nothing to gain.
   */
  bind?<Held, In, Out>(key: string, fn: HoldingFunction<Held, In, Out>, held: Values<Held>): Compiled<In, Out>;
  /** Memory that programs write into where they lie (ops/cached-attention.ts); left out by engines that have none. */
  reserve?(shape: readonly number[]): Value;
  /**
   * Opens a graph that is written node by node, because its extents are free or its operators are ONNX Runtime's own; it
   * holds its constants. Left out by engines that take none.
   */
  openGraph?(graph: GraphParts): Promise<GraphSession>;
  /** What the compiled programs hold; undefined where they hold no memory of their own. */
  programMemory?(): ProgramMemory;
  /** Most bytes of the device that values and programs took at once so far; left out where that is not known. */
  deviceMemory?(): number;
  /** Frees all compiled programs. */
  dispose(): Promise<void>;
}
