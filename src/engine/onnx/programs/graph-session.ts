/** Graphs that are written node by node, on the CPU: their extents are free, and they hold their weights. */
import type { NdArray } from '../../../shared/arrays.js';
import { encodeModel, type GraphParts } from '../model-proto.js';
import * as ort from '../runtime.js';
import type { Arrays, FileBeside, GraphSession } from './backend.js';

/** Bytes from which a constant is handed over beside the model, which ends at 2 GiB and is copied twice on its way. */
const largestInside = 2 ** 16;

/**
 * By the C API where it loads: onnxruntime-node copies all outputs in every run, keys and values of a whole context for each
 * new token, and its copies call the garbage collector.
 */
export async function openGraph(graph: GraphParts, threads: number): Promise<GraphSession> {
  const beside: FileBeside[] = [];
  const constants = graph.constants.map((constant) => {
    if (constant.bytes.length < largestInside) return constant;
    beside.push({ path: constant.name, data: constant.bytes });
    return { ...constant, external: { location: constant.name, offset: 0 } };
  });
  const model = encodeModel({ ...graph, constants });
  const api = await import('../native/api.js').then(({ nativeApi }) => nativeApi()).catch(() => undefined);
  if (!api) return openByNode(model, beside, threads);
  const { openNativeGraph } = await import('../native/graph.js');
  return openNativeGraph(api, graph, model, beside, threads);
}

/** By onnxruntime-node. */
export async function openByNode(
  model: Uint8Array,
  externalData: readonly FileBeside[],
  threads: number,
): Promise<GraphSession> {
  const session = await ort.InferenceSession.create(model, {
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
    async run(inputs, outputs) {
      // One array is one tensor: an operator writes in place where its input and its output are the same.
      const tensors = new Map<NdArray, ort.Tensor>();
      const tensorsOf = (arrays: Arrays) =>
        Object.fromEntries(
          Object.entries(arrays).map(([name, array]) => {
            const tensor = tensors.get(array) ?? new ort.Tensor(array.dtype, array.data, array.shape);
            tensors.set(array, tensor);
            return [name, tensor] as const;
          }),
        );
      await session.run(tensorsOf(inputs), tensorsOf(outputs));
    },
    close: () => session.release(),
  };
}
