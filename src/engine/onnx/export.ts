/** A pure function with its weights inside as one ONNX file: what is deployed where there is no TensorFlow.js. */
import type { Tensor } from '@tensorflow/tfjs';
import type { NdArray } from '../../shared/arrays.js';
import type { Mapped } from '../../shared/tree.js';
import type { TensorFunction } from '../engine.js';
import './kernels/index.js';
import { type InputDeclaration, trace } from './tracer.js';

export interface ExportRequest<In> {
  /** The inputs, and what the file holds of them -> tensors by name. */
  readonly fn: TensorFunction<In, Readonly<Record<string, Tensor>>>;
  /** Host arrays are held by the file; what is only declared is its input, by the same name. */
  readonly inputs: Mapped<In, Tensor, InputDeclaration | NdArray>;
  /** Texts that the file keeps. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Outputs are named as `fn` names them. Runs wherever onnxruntime does: beside the standard operators it may use those of
 * com.microsoft (fused attention), not those of one processor.
 */
export function exportModel<In>({ fn, inputs, metadata }: ExportRequest<In>): Uint8Array {
  return trace(fn, inputs, { nameOf: (_, path) => path, metadata }).model;
}
