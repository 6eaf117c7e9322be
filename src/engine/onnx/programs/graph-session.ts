/** Graphs that are written node by node, on the CPU: their extents are free, and they hold their weights. */
import type { NdArray } from '../../../shared/arrays.js';
import { encodeModel, type GraphParts } from '../model-proto.js';
import * as ort from '../runtime.js';

export interface GraphSession {
  /**
   * @param inputs by name; int32 and float32
   * @param into arrays that outputs are written into; one of them may be an input, which an operator then goes on with
   * @returns the other outputs
   */
  run(
    inputs: Readonly<Record<string, NdArray>>,
    into: Readonly<Record<string, NdArray>>,
  ): Promise<Readonly<Record<string, NdArray>>>;
  close(): Promise<void>;
}

/** Bytes from which a constant is handed over beside the model, which ends at 2 GiB and is copied twice on its way. */
const largestInside = 2 ** 16;

export async function openGraph(graph: GraphParts, threads: number): Promise<GraphSession> {
  const externalData: { path: string; data: Uint8Array }[] = [];
  const constants = graph.constants.map((constant) => {
    if (constant.bytes.length < largestInside) return constant;
    externalData.push({ path: constant.name, data: constant.bytes });
    return { ...constant, external: { location: constant.name, offset: 0 } };
  });
  const session = await ort.InferenceSession.create(encodeModel({ ...graph, constants }), {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'disabled',
    enableCpuMemArena: false,
    enableMemPattern: false,
    logSeverityLevel: 3,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    externalData,
  });
  return {
    async run(inputs, into) {
      const feeds: Record<string, ort.Tensor> = {};
      // One array is one tensor: an operator writes in place where its input and its output are the same.
      const tensors = new Map<NdArray, ort.Tensor>();
      const tensorOf = (array: NdArray) => {
        const tensor = tensors.get(array) ?? new ort.Tensor(array.dtype, array.data, array.shape);
        tensors.set(array, tensor);
        return tensor;
      };
      for (const [name, array] of Object.entries(inputs)) feeds[name] = tensorOf(array);
      const fetches = Object.fromEntries(
        session.outputNames.map((name) => [name, into[name] ? tensorOf(into[name]) : null]),
      );
      const results = await session.run(feeds, fetches);
      const computed = session.outputNames.filter((name) => !into[name]);
      return Object.fromEntries(computed.map((name) => [name, arrayOf(results[name]!)]));
    },
    close: () => session.release(),
  };
}

function arrayOf({ type, dims: shape, data }: ort.Tensor): NdArray {
  if (type !== 'float32') throw new Error(`a graph returned a ${type} tensor: cast it to float32`);
  return { dtype: type, shape, data: data as Float32Array };
}
