/** A graph of names, written node by node where extents are free: the shapes of its values are known to nobody. */
import type { NdArray } from '../../shared/arrays.js';
import { type Attribute, elementTypeCodes, type GraphConstant, type GraphNode } from './model-proto.js';

type Attributes = Readonly<Record<string, Attribute>>;

export class OpenGraph {
  readonly nodes: GraphNode[] = [];
  /** What `Cast` calls the types. */
  readonly codes = elementTypeCodes;
  private readonly held = new Map<string, GraphConstant>();

  get constants(): readonly GraphConstant[] {
    return [...this.held.values()];
  }

  /** Appends a node; @returns its output */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    output = `v${this.nodes.length}`,
  ): string {
    this.nodes.push({ operator, domain: '', inputs, outputs: [output], attributes });
    return output;
  }

  /**
   * Appends an operator of ONNX Runtime's own.
   * @param outputs names of those after the first; an empty one is not computed
   * @returns its first output
   */
  ownNode(
    operator: string,
    inputs: readonly string[],
    attributes: Attributes,
    outputs: readonly string[] = [],
  ): string {
    const output = `v${this.nodes.length}`;
    this.nodes.push({ operator, domain: 'com.microsoft', inputs, outputs: [output, ...outputs], attributes });
    return output;
  }

  /** Equal parts along an axis. */
  split(input: string, parts: number, axis: number): string[] {
    const outputs = Array.from({ length: parts }, (_, part) => `v${this.nodes.length}.${part}`);
    const attributes = { axis: { int: axis }, num_outputs: { int: parts } };
    this.nodes.push({ operator: 'Split', domain: '', inputs: [input], outputs, attributes });
    return outputs;
  }

  weight(name: string, { dtype, shape, data }: NdArray): string {
    return this.hold({ name, dtype, shape, bytes: bytesOf(data) });
  }

  float(value: number): string {
    return this.hold({ name: `float ${value}`, dtype: 'float32', shape: [], bytes: bytesOf(Float32Array.of(value)) });
  }

  floats(values: readonly number[]): string {
    const bytes = bytesOf(Float32Array.from(values));
    return this.hold({ name: `floats ${values}`, dtype: 'float32', shape: [values.length], bytes });
  }

  int64(value: number): string {
    return this.hold({ name: `int64 ${value}`, dtype: 'int64', shape: [], bytes: int64Bytes([value]) });
  }

  int64s(values: readonly number[]): string {
    return this.hold({ name: `int64s ${values}`, dtype: 'int64', shape: [values.length], bytes: int64Bytes(values) });
  }

  private hold(constant: GraphConstant): string {
    this.held.set(constant.name, constant);
    return constant.name;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: NdArray['data'] | BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function int64Bytes(values: readonly number[]): Uint8Array {
  return bytesOf(BigInt64Array.from(values, BigInt));
}
