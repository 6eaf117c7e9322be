/** Weights beside a model, as ONNX keeps those of models above 2 GiB (onnx/onnx, docs/ExternalData.md). */
import type { GraphConstant, GraphParts } from '../model-proto.js';

/** A protocol buffer ends at 2 GiB; nodes and metadata need a little of it. */
const largestModel = 2 ** 31 - 2 ** 22;

/** So that a runtime can map tensors into memory page by page. */
const alignment = 4096;

export interface ModelWithData {
  readonly graph: GraphParts;
  /** Content of the file beside, from its beginning; empty where nothing lies there. */
  readonly data: readonly Uint8Array[];
}

/**
 * Constants of at least a page move to a file beside where all together would be more than `most` bytes.
 * @param location name of that file, beside the model
 */
export function withExternalData(graph: GraphParts, location: string, most = largestModel): ModelWithData {
  const size = graph.constants.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (size <= most) return { graph, data: [] };
  const data: Uint8Array[] = [];
  let offset = 0;
  const moved = graph.constants.map((constant): GraphConstant => {
    const { bytes } = constant;
    if (bytes.length < alignment) return constant;
    const external = { location, offset };
    const padding = (alignment - (bytes.length % alignment)) % alignment;
    data.push(bytes, new Uint8Array(padding));
    offset += bytes.length + padding;
    return { ...constant, external };
  });
  return { graph: { ...graph, constants: moved }, data };
}
