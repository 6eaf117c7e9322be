/** Writes a traced graph as an ONNX ModelProto (field numbers: onnx/onnx: onnx/onnx.proto). */
import { ProtobufWriter } from './protobuf.js';

/** uint8 is for the codes of quantised weights: TensorFlow.js has no such tensors, so that only kernels of ours take it. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'uint8';
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] };

/** An input or output of a model. */
export interface ModelValue {
  readonly name: string;
  /** A name stands for an extent that may differ from call to call. */
  readonly shape: readonly (number | string)[];
  readonly dtype: ElementType | 'float64' | 'int64';
}

export interface GraphValue extends ModelValue {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
  /** The number that every element has, where it is known while tracing. */
  readonly fill?: number;
}

export interface GraphNode {
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface GraphConstant {
  readonly name: string;
  readonly dtype: ElementType | 'int64' | 'float16' | 'bfloat16' | 'int8';
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Where the bytes lie in a file beside the model; left out: in the model. */
  readonly external?: { readonly location: string; readonly offset: number };
}

/** The whole numbers of a constant of int64. */
export function int64sOf({ bytes }: GraphConstant): number[] {
  return Array.from(new BigInt64Array(bytes.slice().buffer), Number); // a copy: offsets of bytes need not suit them
}

/** TensorProto.DataType */
export const elementTypeCodes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;
/** TensorProto.DataLocation */
const externalData = 1;
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const;
const newestOpset = 20;

export interface GraphParts {
  readonly nodes: readonly GraphNode[];
  readonly constants: readonly GraphConstant[];
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  /** For whoever loads the file; onnxruntime hands it out as custom metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Version of the standard operators; default 20. */
  readonly opset?: number;
}

/** An input or output of a model of any shape. */
interface AnyValue extends Omit<ModelValue, 'shape'> {
  readonly shape: ModelValue['shape'] | 'any';
}

interface EncodableGraph extends Omit<GraphParts, 'inputs' | 'outputs'> {
  readonly inputs: readonly AnyValue[];
  readonly outputs: readonly AnyValue[];
}

export function encodeModel(graph: EncodableGraph): Uint8Array {
  const body = new ProtobufWriter();
  for (const node of graph.nodes) body.message(1, encodeNode(node));
  body.string(2, 'esta');
  for (const constant of graph.constants) body.message(5, encodeConstant(constant));
  for (const value of graph.inputs) body.message(11, encodeValue(value));
  for (const value of graph.outputs) body.message(12, encodeValue(value));
  const { opset = newestOpset } = graph;
  // Versions of the file format came with versions of the operators: 8 with ONNX 1.13 (operators 18), 9 with 1.14.
  const model = new ProtobufWriter()
    .int(1, opset <= 18 ? 8 : 9)
    .string(2, 'esta')
    .message(7, body);
  model.message(8, new ProtobufWriter().string(1, '').int(2, opset));
  const domains = new Set(graph.nodes.map(({ domain }) => domain).filter((domain) => domain !== ''));
  for (const domain of domains) model.message(8, new ProtobufWriter().string(1, domain).int(2, 1));
  for (const [key, value] of Object.entries(graph.metadata ?? {})) {
    model.message(14, new ProtobufWriter().string(1, key).string(2, value));
  }
  return model.finish();
}

function encodeNode(node: GraphNode): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes)) writer.message(5, encodeAttribute(name, attribute));
  return node.domain ? writer.string(7, node.domain) : writer;
}

function encodeAttribute(name: string, attribute: Attribute): ProtobufWriter {
  const writer = new ProtobufWriter().string(1, name);
  if ('float' in attribute) writer.float(2, attribute.float).int(20, attributeType.float);
  else if ('int' in attribute) writer.int(3, attribute.int).int(20, attributeType.int);
  else if ('string' in attribute) writer.string(4, attribute.string).int(20, attributeType.string);
  else {
    for (const value of attribute.ints) writer.int(8, value);
    writer.int(20, attributeType.ints);
  }
  return writer;
}

function encodeConstant({ name, dtype, shape, bytes, external }: GraphConstant): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const extent of shape) writer.int(1, extent);
  writer.int(2, elementTypeCodes[dtype]).string(8, name);
  if (!external) return writer.bytes(9, bytes);
  for (const [key, value] of Object.entries({ ...external, length: bytes.length })) {
    writer.message(13, new ProtobufWriter().string(1, key).string(2, `${value}`));
  }
  return writer.int(14, externalData);
}

function encodeValue({ name, dtype, shape }: AnyValue): ProtobufWriter {
  const tensor = new ProtobufWriter().int(1, elementTypeCodes[dtype]);
  if (shape !== 'any') {
    const dimensions = new ProtobufWriter();
    for (const extent of shape) dimensions.message(1, encodeExtent(extent));
    tensor.message(2, dimensions);
  }
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensor));
}

function encodeExtent(extent: number | string): ProtobufWriter {
  const writer = new ProtobufWriter();
  return typeof extent === 'string' ? writer.string(2, extent) : writer.int(1, extent);
}
