/**
 * A graph under construction: what the tracing kernels append to. Values are named, typed and shaped; a value whose
 * elements are all one known number (`fill`) stays symbolic as long as possible, so that the seeds and zeros that
 * differentiation makes never become tensors.
 */
import { type NdArray, sizeOf } from '../../shared/arrays.js';
import {
  type Attribute,
  type ElementType,
  encodeModel,
  type GraphConstant,
  type GraphNode,
  type GraphParts,
  type GraphValue,
} from './model-proto.js';

export type { Attribute, ElementType, GraphValue } from './model-proto.js';

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** `com.microsoft` for ONNX Runtime's own operators. */
  readonly domain?: string;
}

export interface GraphOptions {
  readonly channelBlock?: number | undefined;
  /** Default 0. */
  readonly shortSequence?: number | undefined;
  /** Default true. */
  readonly fused?: boolean | undefined;
  /** Default false. */
  readonly standard?: boolean | undefined;
  /** Default false. */
  readonly multipliesCodes?: boolean | undefined;
  /** Default false. */
  readonly keepsProbabilities?: boolean | undefined;
}

/** Constants live inside the compiled program: large ones belong into its inputs. */
const largestConstant = 1 << 16;

export class Graph {
  private readonly nodes: GraphNode[] = [];
  private readonly constants = new Map<string, GraphConstant>();
  private readonly inputs: GraphValue[] = [];
  private readonly views = new Map<string, GraphValue>();
  /** What may be asked for again, by what it was made of. */
  private readonly made = new Map<string, GraphValue>();
  private count = 0;
  /** Bytes of each value that a node computes. */
  readonly sizes = new Map<string, number>();

  /** From channelBlock(): set where the program may use blocked convolutions. */
  readonly channelBlock: number | undefined;
  /** Tokens up to which attention is written out, so that its gradient finds the probabilities and need not repeat them. */
  readonly shortSequence: number;
  /**
   * Whether ONNX Runtime's own fused operators may be used. Not with WebGPU: it has no FusedMatMul, and its
   * MultiHeadAttention is right on an NVIDIA GPU but 14 % off on a software one (SwiftShader, 65 tokens).
   */
  readonly fused: boolean;
  /** Whether only operators of the ONNX standard may be used; none is fused then. */
  readonly standard: boolean;
  /** Whether the engine has an operator for products with matrices of 8 bits: QuantisedProduct, of our own. */
  readonly multipliesCodes: boolean;
  /** Whether the engine keeps the probabilities of attention for the gradient, whatever their length; attention's result is not then. */
  readonly keepsProbabilities: boolean;

  constructor({
    channelBlock,
    shortSequence = 0,
    standard = false,
    fused = !standard,
    multipliesCodes = false,
    keepsProbabilities = false,
  }: GraphOptions = {}) {
    this.channelBlock = channelBlock;
    this.shortSequence = shortSequence;
    this.fused = fused;
    this.standard = standard;
    this.multipliesCodes = multipliesCodes;
    this.keepsProbabilities = keepsProbabilities;
  }

  input(name: string, shape: readonly number[], dtype: ElementType): GraphValue {
    const value = { name, shape, dtype };
    this.inputs.push(value);
    return value;
  }

  /** A tensor of any size that the program itself holds, as an exported model holds its weights. */
  weight(name: string, { dtype, shape, data }: NdArray): GraphValue {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.constants.set(name, { name, dtype, shape, bytes });
    return { name, shape, dtype };
  }

  /** Appends a node with one output. */
  node(
    operator: string,
    inputs: readonly (GraphValue | string)[],
    output: { shape: readonly number[]; dtype?: ElementType },
    options: NodeOptions = {},
  ): GraphValue {
    return this.nodeWithOutputs(operator, inputs, [output], options)[0]!;
  }

  /** Appends a node with several outputs. */
  nodeWithOutputs(
    operator: string,
    inputs: readonly (GraphValue | string)[],
    outputs: readonly { shape: readonly number[]; dtype?: ElementType }[],
    { attributes = {}, domain = '' }: NodeOptions = {},
  ): GraphValue[] {
    const values = outputs.map(({ shape, dtype = 'float32' }) => ({ name: `v${this.count++}`, shape, dtype }));
    const names = inputs.map((input) => (typeof input === 'string' ? input : this.materialize(input).name));
    this.nodes.push({ operator, domain, inputs: names, outputs: values.map(({ name }) => name), attributes });
    for (const { name, shape } of values) this.sizes.set(name, 4 * sizeOf(shape));
    return values;
  }

  /** Lets another operator make a value, from inputs that were there before it. */
  remake(value: GraphValue, operator: string, inputs: readonly GraphValue[]): void {
    const at = this.nodes.findIndex(({ outputs }) => outputs.includes(value.name));
    const { outputs } = this.nodes[at]!;
    this.nodes[at] = { operator, domain: '', inputs: inputs.map(({ name }) => name), outputs, attributes: {} };
  }

  /** A value whose elements are all `fill`; becomes a tensor only where a node cannot do with the scalar. */
  fill(fill: number, shape: readonly number[], dtype: ElementType): GraphValue {
    return { name: `fill${this.count++}`, shape, dtype, fill };
  }

  /** A constant of the program; equal ones are stored once. */
  constant(values: ArrayLike<number>, shape: readonly number[], dtype: ElementType | 'int64'): string {
    if (values.length > largestConstant) {
      throw new Error(`a constant of shape [${shape}] is too large for a compiled program: pass it as an input`);
    }
    // Shapes are asked for thousands of times; text shows all of a whole number, not of a float.
    const bytes = dtype === 'float32' ? bytesOf(values, dtype) : undefined;
    const text = bytes ? Buffer.from(bytes).toString('base64') : Array.from(values).join();
    const key = `${dtype}[${shape}]${text}`;
    const existing = this.constants.get(key);
    if (existing) return existing.name;
    const name = `c${this.constants.size}`;
    this.constants.set(key, { name, dtype, shape, bytes: bytes ?? bytesOf(values, dtype) });
    return name;
  }

  scalar(value: number, dtype: ElementType = 'float32'): string {
    return this.constant([value], [], dtype);
  }

  int64s(values: readonly number[]): string {
    return this.constant(values, [values.length], 'int64');
  }

  /** A reshaped view, made once; views of views refer to the first value, and undoing a view gives that value back. */
  reshape(value: GraphValue, shape: readonly number[]): GraphValue {
    if (sameShape(value.shape, shape)) return value;
    if (value.fill !== undefined) return this.fill(value.fill, shape, value.dtype);
    const base = this.unviewed(value);
    if (sameShape(base.shape, shape)) return base;
    const view = this.once(`${base.name}[${shape}]`, () =>
      this.node('Reshape', [base, this.int64s(shape)], { shape, dtype: value.dtype }),
    );
    this.views.set(view.name, base);
    return view;
  }

  /** What `make` makes, made once; the key says of what. It lives as long as the last that asks for it. */
  once(key: string, make: () => GraphValue): GraphValue {
    const value = this.made.get(key) ?? make();
    this.made.set(key, value);
    return value;
  }

  /** What `once` has made under a key. */
  known(key: string): GraphValue | undefined {
    return this.made.get(key);
  }

  /** The value that a view shows; any other value itself. */
  unviewed(value: GraphValue): GraphValue {
    return this.views.get(value.name) ?? value;
  }

  /** The same value as a real tensor of its full shape. */
  materialize(value: GraphValue): GraphValue {
    if (value.fill === undefined) return value;
    const scalar = this.scalar(value.fill, value.dtype);
    if (value.shape.length === 0) return { name: scalar, shape: [], dtype: value.dtype };
    return this.node('Expand', [scalar, this.int64s(value.shape)], value);
  }

  /** Renames what nodes put out; inputs, constants and values with two names are passed on by an Identity. */
  private nameOutputs(outputs: ReadonlyMap<string, GraphValue>): GraphValue[] {
    const passed = new Set([
      ...this.inputs.map(({ name }) => name),
      ...[...this.constants.values()].map(({ name }) => name),
    ]);
    const made = (name: string) => !passed.has(name);
    const names = new Map<string, string>();
    const named = [...outputs].map(([name, value]) => {
      const real = this.materialize(value).name;
      if (made(real) && !names.has(real)) {
        names.set(real, name);
        this.sizes.set(name, this.sizes.get(real) ?? 0);
      } else {
        const source = names.get(real) ?? real;
        this.nodes.push({ operator: 'Identity', domain: '', inputs: [source], outputs: [name], attributes: {} });
      }
      return { ...value, name };
    });
    const renamed = (name: string) => names.get(name) ?? name;
    for (const [index, node] of this.nodes.entries()) {
      this.nodes[index] = { ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) };
    }
    return named;
  }

  /** The ONNX model with only what the outputs need; `inputs` are the names of those that it reads. */
  finish(outputs: ReadonlyMap<string, GraphValue>): { model: Uint8Array; inputs: string[] } {
    const parts = this.parts(outputs);
    return { model: encodeModel(parts), inputs: parts.inputs.map(({ name }) => name) };
  }

  /**
   * What `finish` encodes. The graph cannot go on afterwards: its values have the names of the outputs.
   * @param outputs values with the names they get; one value may have several names.
   */
  parts(outputs: ReadonlyMap<string, GraphValue>): GraphParts {
    const named = this.nameOutputs(outputs);
    return pruned({ nodes: this.nodes, constants: [...this.constants.values()], inputs: this.inputs, outputs: named });
  }
}

/** Without the nodes, constants and inputs that no output needs. */
export function pruned({ nodes, constants, inputs, ...graph }: GraphParts): GraphParts {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const isNeeded = ({ name }: { readonly name: string }) => needed.has(name);
  const kept = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return { ...graph, nodes: kept.reverse(), constants: constants.filter(isNeeded), inputs: inputs.filter(isNeeded) };
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

function bytesOf(values: ArrayLike<number>, dtype: ElementType | 'int64'): Uint8Array {
  const typed =
    dtype === 'float32'
      ? Float32Array.from(values)
      : dtype === 'int32'
        ? Int32Array.from(values)
        : dtype === 'bool' || dtype === 'uint8'
          ? Uint8Array.from(values)
          : BigInt64Array.from(Array.from(values, BigInt));
  return new Uint8Array(typed.buffer);
}
