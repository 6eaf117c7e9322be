/** What computes programs: it knows where tensors are. */
import type { NdArray } from '../../../shared/arrays.js';

/** A tensor of the kind that a backend makes; nobody else looks into it. */
export type Stored = object;

/** An input or output of a program. */
export interface TensorDeclaration {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: NdArray['dtype'];
}

export interface ProgramSource {
  /** What it computes, for people. */
  readonly key: string;
  /** An ONNX model. */
  readonly model: Uint8Array;
  readonly inputs: readonly TensorDeclaration[];
  readonly outputs: readonly TensorDeclaration[];
}

export interface LoadedProgram<Tensor> {
  /** Takes and gives tensors in the order of the declarations. */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
  release(): Promise<void>;
}

export interface Backend<Tensor extends Stored> {
  /** Whether values that programs read stay where programs compute, so that no program needs a copy of its own. */
  readonly keepsValues: boolean;
  /** @param isConstant whether its elements never change: many programs will read it */
  wrap(array: NdArray, isConstant: boolean): Tensor;
  read(tensor: Tensor): Promise<NdArray>;
  free(tensor: Tensor): void;
  /** @throws RequestError where CUDA would leave operators to the CPU, naming them */
  load(source: ProgramSource): Promise<LoadedProgram<Tensor>>;
  dispose(): Promise<void>;
}

/** By name. */
export type Arrays = Readonly<Record<string, NdArray>>;

/** A graph that was written node by node (graph-session.ts). */
export interface GraphSession {
  /**
   * @param inputs by name; int32 and float32
   * @param outputs arrays that all outputs are written into; one of them may be an input, which an operator then goes on with
   */
  run(inputs: Arrays, outputs: Arrays): Promise<void>;
  close(): Promise<void>;
}

/** What is handed over with a model, as if it were a file beside it. */
export interface FileBeside {
  readonly path: string;
  readonly data: Uint8Array;
}
