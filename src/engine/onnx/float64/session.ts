/** Programs in float64, in which engines, computing in float32, lose too many digits: on the CPU, whatever the device. */
import { encodeModel, type GraphNode, type GraphParts } from '../model-proto.js';
import * as ort from '../runtime.js';

export interface Float64Program extends Pick<GraphParts, 'constants' | 'inputs' | 'outputs'> {
  readonly nodes: readonly Omit<GraphNode, 'domain'>[];
}

export function openFloat64({ nodes, ...values }: Float64Program, threads: number): Promise<ort.InferenceSession> {
  const model = encodeModel({ nodes: nodes.map((node) => ({ ...node, domain: '' })), ...values });
  return ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    // Memory that is new in every run costs more than the products: of 20 images, 6.6 s of processor time instead of 2.1.
    enableCpuMemArena: true,
    logSeverityLevel: 3,
    intraOpNumThreads: threads,
  });
}

export function float64Tensor(data: Float64Array, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor('float64', data, shape);
}

/** Throws where a program has put out something else. */
export function float64Data(tensor: ort.Tensor | undefined): Float64Array {
  if (!(tensor?.data instanceof Float64Array)) throw new TypeError('numbers in float64 were expected');
  return tensor.data;
}
