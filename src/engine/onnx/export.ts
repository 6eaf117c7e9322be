/** A pure function with its weights inside as one ONNX file: what is deployed where there is no TensorFlow.js. */
import type { Tensor } from '@tensorflow/tfjs';
import type { NdArray } from '../../shared/arrays.js';
import type { Tree } from '../../shared/tree.js';
import './kernels/index.js';
import { type InputDeclaration, trace } from './tracer.js';

export interface ExportRequest {
  /** ({weights, ...inputs}) -> tensors by name */
  readonly fn: (given: never) => Readonly<Record<string, Tensor>>;
  readonly weights: Tree<NdArray>;
  /** By the names they get in the file. */
  readonly inputs: Readonly<Record<string, InputDeclaration>>;
  /** Texts that the file keeps. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Outputs are named as `fn` names them. Runs wherever onnxruntime does: beside the standard operators it may use those of
 * com.microsoft (fused attention), not those of one processor.
 */
export function exportModel({ fn, weights, inputs, metadata }: ExportRequest): Uint8Array {
  const given = { ...inputs, weights } as Tree<InputDeclaration | NdArray>;
  return trace(fn as never, given, { nameOf: (_, path) => path, metadata }).model;
}
