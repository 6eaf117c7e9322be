/** A pure function with its weights inside as one ONNX file: what is deployed where there is no TensorFlow.js. */
import type { Tensor } from '@tensorflow/tfjs';
import type { OperatorSet, Precision } from '../../../config/deployment-options.js';
import type { NdArray } from '../../../shared/arrays.js';
import type { Mapped } from '../../../shared/tree.js';
import type { TensorFunction } from '../../engine.js';
import '../kernels/index.js';
import { encodeModel, type GraphNode, type GraphParts } from '../model-proto.js';
import { type InputDeclaration, traceGraph } from '../tracer.js';
import { tracedBatches, withDynamicBatch } from './dynamic-batch.js';
import { withPrecision } from './weight-precision.js';

export interface ExportRequest<In> {
  /** The inputs, and what the file holds of them -> tensors by name. */
  readonly fn: TensorFunction<In, Readonly<Record<string, Tensor>>>;
  /** Inputs for a batch: host arrays are held by the file; what is only declared is its input, by the same name. */
  readonly inputs: (batch: number) => Mapped<In, Tensor, InputDeclaration | NdArray>;
  /** Images at once; left out: any number. */
  readonly batch?: number | undefined;
  readonly operators: OperatorSet;
  /** Of weight matrices and filters in the file. */
  readonly precision: Precision;
  /** Narrows to the bits of float16. */
  readonly toHalf: (values: Float32Array) => Uint16Array;
  /** Texts that the file keeps. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Outputs are named as `fn` names them. No operator is of one processor only. */
export function exportModel<In>(request: ExportRequest<In>): Uint8Array {
  const { fn, inputs, batch, operators, precision, toHalf, metadata } = request;
  const standard = operators === 'standard';
  const traced = (size: number) => traceGraph(fn, inputs(size), { nameOf: (_, path) => path, standard }).graph;
  const graph =
    batch === undefined ? withDynamicBatch(traced(tracedBatches[0]), traced(tracedBatches[1])) : traced(batch);
  const parts = withPrecision(withoutUnusedOutputs(graph), precision, toHalf);
  return encodeModel({ ...parts, metadata, ...(standard && { opset: 18 }) });
}

/** Some runtimes refuse the mean and deviation of a LayerNormalization, which only gradients need. */
function withoutUnusedOutputs(graph: GraphParts): GraphParts {
  const used = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)]);
  const trimmed = ({ outputs, ...node }: GraphNode): GraphNode => ({
    ...node,
    outputs: outputs.slice(0, outputs.findLastIndex((name) => used.has(name)) + 1),
  });
  return { ...graph, nodes: graph.nodes.map(trimmed) };
}
