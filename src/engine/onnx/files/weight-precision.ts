/**
 * Weights in fewer bits inside an ONNX file, by operators of the standard that give them back as float32: Cast from
 * float16, DequantizeLinear from int8. Networks compute in float32 as before; what shrinks is the file.
 *
 * int8: one scale for each output of a layer, symmetric, so that zero stays zero (Jacob et al. 2018, section 2.1, without
 * zero points; Krishnamoorthi 2018, section 2.1.2). Only matrices and filters: biases and norms are few numbers, and
 * positions and tokens are added to everything.
 */
import type { Precision } from '../../../config/deployment-options.js';
import { elementTypeCodes, type GraphConstant, type GraphNode, type GraphParts } from '../model-proto.js';

/** @param toHalf narrows to the bits of float16 */
export function withPrecision(
  graph: GraphParts,
  precision: Precision,
  toHalf: (values: Float32Array) => Uint16Array,
): GraphParts {
  if (precision === 'float32') return graph;
  const constants: GraphConstant[] = [];
  const nodes: GraphNode[] = [];
  for (const constant of graph.constants) {
    if (!isMatrix(constant)) {
      constants.push(constant);
      continue;
    }
    const stored = precision === 'float16' ? halved(constant, toHalf) : quantised(constant);
    constants.push(...stored.constants);
    nodes.push(stored.node);
  }
  return { ...graph, constants, nodes: [...nodes, ...graph.nodes] };
}

interface Stored {
  readonly constants: readonly GraphConstant[];
  /** Gives the weight its name. */
  readonly node: GraphNode;
}

/** Weights have paths for names, constants of the program have none. */
function isMatrix({ name, dtype }: GraphConstant): boolean {
  return dtype === 'float32' && /\/(weight|filter)$/.test(name);
}

function halved(constant: GraphConstant, toHalf: (values: Float32Array) => Uint16Array): Stored {
  const { name, shape } = constant;
  const half = toHalf(float32sOf(constant));
  const stored = { name: `${name}/float16`, dtype: 'float16' as const, shape, bytes: bytesOf(half) };
  const attributes = { to: { int: elementTypeCodes.float32 } };
  return { constants: [stored], node: { ...nodeOf('Cast', [stored], name), attributes } };
}

function quantised(constant: GraphConstant): Stored {
  const { name, shape } = constant;
  // Of a depthwise filter [7, 7, channels, 1] the channels are the outputs, of a matrix [in, out] the last axis.
  const axis = shape.findLastIndex((extent) => extent > 1);
  const outputs = shape[Math.max(axis, 0)]!;
  const values = float32sOf(constant);
  const scales = new Float32Array(outputs);
  for (const [index, value] of values.entries()) {
    const output = index % outputs; // all axes behind it have one entry
    scales[output] = Math.max(scales[output]!, Math.abs(value));
  }
  for (const [output, largest] of scales.entries()) scales[output] = largest === 0 ? 1 : largest / 127;
  const codes = Int8Array.from(values, (value, index) => Math.round(value / scales[index % outputs]!));
  const stored = { name: `${name}/int8`, dtype: 'int8' as const, shape, bytes: bytesOf(codes) };
  const scale = { name: `${name}/scale`, dtype: 'float32' as const, shape: [outputs], bytes: bytesOf(scales) };
  const attributes = { axis: { int: Math.max(axis, 0) } };
  return {
    constants: [stored, scale],
    node: { ...nodeOf('DequantizeLinear', [stored, scale], name), attributes },
  };
}

function nodeOf(operator: string, inputs: readonly GraphConstant[], output: string): GraphNode {
  return { operator, domain: '', inputs: inputs.map(({ name }) => name), outputs: [output], attributes: {} };
}

function float32sOf({ bytes }: GraphConstant): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array | Int8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
