/** Graphs that are written node by node (programs/graph-session.ts), by ONNX Runtime's C API: outputs are written where they are wanted. */
import type { NdArray } from '../../../shared/arrays.js';
import type { GraphParts } from '../model-proto.js';
import type { FileBeside, GraphSession } from '../programs/backend.js';
import type { Handle, NativeApi } from './api.js';
import { NativeSession } from './session.js';
import { NativeTensors } from './values.js';

/**
 * @param graph names its inputs and outputs
 * @param beside constants that the model does not hold itself
 * @throws Error with ONNX Runtime's message
 */
export async function openNativeGraph(
  api: NativeApi,
  graph: Pick<GraphParts, 'inputs' | 'outputs'>,
  model: Uint8Array,
  beside: readonly FileBeside[],
  threads: number,
): Promise<GraphSession> {
  const names = { inputs: graph.inputs.map(({ name }) => name), outputs: graph.outputs.map(({ name }) => name) };
  const options = { device: 'cpu', precision: 'float32', threads, entries: {}, beside } as const;
  const session = await NativeSession.create(api, model, names, options);
  const tensors = new NativeTensors(api);
  return {
    async run(inputs, outputs) {
      const made = new Map<NdArray, Handle>();
      // One array is one tensor: an operator writes in place where its input and its output are the same.
      const tensorOf = (array: NdArray) => {
        const tensor = made.get(array) ?? tensors.around(array);
        made.set(array, tensor);
        return tensor;
      };
      try {
        await session.run(
          names.inputs.map((name) => tensorOf(inputs[name]!)),
          names.outputs.map((name) => tensorOf(outputs[name]!)),
        );
      } finally {
        for (const tensor of made.values()) tensors.release(tensor);
      }
    },
    close: () => session.release(),
  };
}
