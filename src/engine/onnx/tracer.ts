/**
 * A TensorFlow.js backend whose kernels compute nothing: each appends ONNX nodes to a graph. Running a pure function of
 * tensors once under it, gradients included, yields the whole computation as one program (as jax.jit does for JAX).
 */
import tf = require('@tensorflow/tfjs');

import type { BackendValues, DataId, KernelConfig, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { NdArray } from '../../shared/arrays.js';
import { type Mapped, mapTree } from '../../shared/tree.js';
import type { TensorFunction } from '../engine.js';
import { isTensor } from '../tensor.js';
import { type ElementType, Graph, type GraphValue } from './graph.js';
import { runKernel, type TracingKernel } from './kernel.js';
import { encodeModel, type GraphParts } from './model-proto.js';
import { type NarrowProducts, widened, withNarrowProducts } from './programs/mixed-precision.js';
import { peakBytes } from './programs/peak-bytes.js';

const tracerBackend = 'esta-tracer';

class Tracer extends tf.KernelBackend {
  graph = new Graph();
  private readonly values = new WeakMap<object, GraphValue>();
  private live = 0;

  graphValue(info: TensorInfo): GraphValue {
    const value = this.values.get(info.dataId);
    if (!value) throw new Error('a traced function used a tensor that is neither its input nor made inside it');
    return value;
  }

  tensorInfo(value: GraphValue): TensorInfo {
    const dataId = {};
    this.values.set(dataId, value);
    this.live++;
    // TensorFlow.js has no uint8: such a tensor passes for one of whole numbers.
    return { dataId, shape: [...value.shape], dtype: value.dtype === 'uint8' ? 'int32' : value.dtype };
  }

  override write(values: BackendValues, shape: number[], dtype: tf.DataType): DataId {
    const known = knownDtype(dtype);
    const numbers = values as tf.TypedArray;
    return this.tensorInfo(
      isUniform(numbers)
        ? this.graph.fill(Number(numbers[0]), shape, known)
        : { name: this.graph.constant(numbers, shape, known), shape, dtype: known },
    ).dataId;
  }

  override readSync(): BackendValues {
    throw new Error('a traced function may not read the values of a tensor (dataSync, arraySync): return it instead');
  }
  override read(): Promise<BackendValues> {
    return Promise.reject(new Error('a traced function may not read the values of a tensor (data, array)'));
  }
  override disposeData(): boolean {
    this.live--;
    return true;
  }
  override incRef(): void {}
  override refCount(): number {
    return 1;
  }
  override numDataIds(): number {
    return this.live;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override floatPrecision(): 16 | 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7; // as every 32-bit backend of TensorFlow.js
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {}
}

tf.registerBackend(tracerBackend, () => new Tracer(), 0);

/** A plain loop: TensorFlow.js writes zeros of full size for every gradient that nobody asked for. */
function isUniform(numbers: ArrayLike<number>): boolean {
  const first = numbers[0];
  for (let index = 1; index < numbers.length; index++) if (numbers[index] !== first) return false;
  return numbers.length > 0;
}

function knownDtype(dtype: string): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(`the onnxruntime engine has no ${dtype} tensors; float32, int32 and bool exist`);
}

/** Registers tracing kernels under their TensorFlow.js names. */
export function registerTracingKernels(kernels: Readonly<Record<string, TracingKernel>>): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const kernelFunc: KernelConfig['kernelFunc'] = ({ inputs, attrs, backend }) => {
      const tracer = backend as Tracer;
      const named: Record<string, GraphValue> = {};
      for (const [name, info] of Object.entries(inputs)) if (info) named[name] = tracer.graphValue(info as TensorInfo);
      const result = runKernel(kernelName, kernel, tracer.graph, named, (attrs ?? {}) as NamedAttrMap);
      return Array.isArray(result) ? result.map((value) => tracer.tensorInfo(value)) : tracer.tensorInfo(result);
    };
    tf.registerKernel({ kernelName, backendName: tracerBackend, kernelFunc });
  }
}

export interface InputDeclaration {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

export interface TraceOptions {
  /** From channelBlock(); left out: operators of the standard and of com.microsoft only. */
  readonly channelBlock?: number | undefined;
  /** Graph.shortSequence; default 0: attention is fused, if it may be, however short. */
  readonly shortSequence?: number | undefined;
  /** Whether ONNX Runtime's fused operators may be used (Graph.fused); default true. */
  readonly fused?: boolean;
  /** Whether only operators of the ONNX standard may be used; default false. */
  readonly standard?: boolean;
  /** Whether the engine has an operator for products with matrices of 8 bits (Graph.multipliesCodes); default false. */
  readonly multipliesCodes?: boolean;
  /** Graph.keepsProbabilities; default false. */
  readonly keepsProbabilities?: boolean;
  /** How matrix products are computed in bfloat16 (mixed-precision.ts); left out: in float32. */
  readonly narrowProducts?: NarrowProducts | undefined;
  /** Names of inputs and outputs in the program; default in/PATH and out/PATH. */
  readonly nameOf?: (direction: 'in' | 'out', path: string) => string;
}

export interface TracedGraph<Out> {
  readonly graph: GraphParts;
  /** The tree of results; leaves are output names. */
  readonly outputs: Mapped<Out, tf.Tensor, string>;
  /** The results, with the names of the outputs. */
  readonly results: readonly GraphValue[];
  /** What a run needs at once (peak-bytes.ts), beside inputs and constants. */
  readonly peakBytes: () => number;
}

export interface TracedProgram<Out> extends Omit<TracedGraph<Out>, 'graph'> {
  readonly model: Uint8Array;
  /** Bytes of the constants in the program, by their names: those of inputs whose values were given are in/PATH. */
  readonly held: ReadonlyMap<string, number>;
  /** Paths of the inputs that the program really uses. */
  readonly inputs: readonly string[];
}

/**
 * Traces `fn` on inputs of the given shapes; an input whose values are given is held by the program itself.
 * Throws when `fn` uses a kernel that the engine does not have, naming it.
 */
export function trace<In, Out>(
  fn: TensorFunction<In, Out>,
  inputs: Mapped<In, tf.Tensor, InputDeclaration | NdArray>,
  options: TraceOptions = {},
): TracedProgram<Out> {
  const { graph, results, ...traced } = traceGraph(fn, inputs, options);
  const narrow = options.narrowProducts ? withNarrowProducts(graph, options.narrowProducts) : graph;
  const held = new Map(narrow.constants.map(({ name, bytes }) => [widened(name), bytes.length]));
  return { model: encodeModel(narrow), inputs: narrow.inputs.map(({ name }) => name), results, held, ...traced };
}

/** As `trace`, before it is encoded. */
export function traceGraph<In, Out>(
  fn: TensorFunction<In, Out>,
  inputs: Mapped<In, tf.Tensor, InputDeclaration | NdArray>,
  { nameOf = (direction, path) => `${direction}/${path}`, ...options }: TraceOptions = {},
): TracedGraph<Out> {
  const previous = tf.engine().backendName;
  tf.setBackend(tracerBackend);
  const tracer = tf.engine().backend as Tracer;
  tracer.graph = new Graph(options);
  tf.engine().startScope('trace');
  try {
    const tensors = mapTree(inputs, isDeclaration, (input, path) => {
      const name = nameOf('in', path);
      const value =
        'data' in input ? tracer.graph.weight(name, input) : tracer.graph.input(name, input.shape, input.dtype);
      const info = tracer.tensorInfo(value);
      return tf.engine().makeTensorFromDataId(info.dataId, info.shape, info.dtype);
    });
    const results = fn(tensors as never); // the tree `In`: its declarations became tensors again
    const values = new Map<string, GraphValue>();
    const outputs = mapTree(results, isTensor, (tensor, path) => {
      const name = nameOf('out', path);
      values.set(name, tracer.graphValue(tensor));
      return name;
    });
    const { sizes } = tracer.graph;
    const graph = tracer.graph.parts(values);
    const named = [...values].map(([name, value]) => ({ ...value, name }));
    return { graph, outputs, results: named, peakBytes: () => peakBytes(graph, sizes) };
  } catch (error) {
    throw explain(error);
  } finally {
    tf.engine().endScope();
    if (previous) tf.setBackend(previous);
  }
}

function isDeclaration(node: unknown): node is InputDeclaration | NdArray {
  return typeof node === 'object' && node !== null && 'dtype' in node && typeof node.dtype === 'string';
}

function explain(error: unknown): unknown {
  const missing = /Kernel '(\w+)' not registered/.exec(error instanceof Error ? error.message : '');
  if (!missing) return error;
  return new Error(
    `the onnxruntime engine has no kernel ${missing[1]}: use --engine tensorflow, or add it to src/engine/onnx/kernels`,
  );
}
