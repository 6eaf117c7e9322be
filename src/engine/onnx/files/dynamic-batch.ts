/**
 * A graph for batches of any size from two that were traced with different sizes. Shapes are numbers while tracing, so
 * that the size of the batch stands in constants: [batch * tokens, width] of a Reshape, [batch, 1, width] of an Expand.
 * Where the two graphs differ is where it stands; everything else is equal, or the graph depends on the size otherwise.
 */
import { type GraphConstant, type GraphNode, type GraphParts, int64sOf, type ModelValue } from '../model-proto.js';

/**
 * Sizes to trace with. Extents that come from the batch are told from others by being multiples of these: primes that
 * are larger than any extent of a network that is not one.
 */
export const tracedBatches = [99_991, 99_989] as const;

/** The name of the free extent. */
const batchName = 'batch';

/**
 * @param one, other the same function, traced with `tracedBatches`
 * @throws Error where they differ in more than extents that are multiples of the batch
 */
export function withDynamicBatch(one: GraphParts, other: GraphParts): GraphParts {
  const sizes = new SizeConstants(one.inputs[0]!);
  const constants = [one, other].map(({ constants }) => new Map(constants.map((entry) => [entry.name, entry])));
  const [ofOne, ofOther] = constants as [Map<string, GraphConstant>, Map<string, GraphConstant>];
  if (one.nodes.length !== other.nodes.length) throw new Error('the number of nodes depends on the batch');
  const nodes = one.nodes.map((node, index) => {
    const twin = other.nodes[index]!;
    if (signature(node) !== signature(twin)) throw new Error(`node ${index}, ${node.operator}, depends on the batch`);
    const inputs = node.inputs.map((input, position) => {
      const [a, b] = [ofOne.get(input), ofOther.get(twin.inputs[position]!)];
      if (!a || !b) {
        if (a || b || input !== twin.inputs[position]) throw new Error(`an input of ${node.operator} depends on it`);
        return input;
      }
      if (areEqual(a, b)) return input;
      if (a.dtype !== 'int64') throw new Error(`a constant of ${node.operator} depends on the batch`);
      return sizes.nameOf(node.operator, extentsOf(a, b));
    });
    return { ...node, inputs };
  });
  const all = [...sizes.nodes, ...nodes];
  const used = new Set(all.flatMap(({ inputs }) => inputs));
  return {
    ...one,
    nodes: all,
    constants: [...one.constants, ...sizes.constants].filter(({ name }) => used.has(name)),
    inputs: one.inputs.map((value, index) => named(value, other.inputs[index]!)),
    outputs: one.outputs.map((value, index) => named(value, other.outputs[index]!)),
  };
}

/** An extent: a number, or so many times the batch. */
type Extent = number | { readonly batches: number };

/** Lists of extents that hold the batch, as values of the graph; equal ones are made once. */
class SizeConstants {
  readonly nodes: GraphNode[] = [];
  readonly constants: GraphConstant[] = [];
  private readonly names = new Map<string, string>();

  /** @param input its first extent is the batch */
  constructor(private readonly input: ModelValue) {}

  nameOf(operator: string, extents: readonly Extent[]): string {
    const unknown = extents.filter((extent) => typeof extent !== 'number').length;
    // Reshape works out one extent by itself, and every runtime knows that form.
    if (operator === 'Reshape' && unknown === 1) {
      return this.constant(extents.map((extent) => (typeof extent === 'number' ? extent : -1)));
    }
    return this.once(`extents ${JSON.stringify(extents)}`, () => {
      const parts = extents.map((extent) =>
        typeof extent === 'number' ? this.constant([extent]) : this.times(extent),
      );
      return parts.length === 1 ? parts[0]! : this.node('Concat', parts, { axis: { int: 0 } });
    });
  }

  private times({ batches }: { readonly batches: number }): string {
    const batch = this.once('batch', () => {
      const shape = this.node('Shape', [this.input.name]);
      return this.node('Slice', [shape, this.constant([0]), this.constant([1])]);
    });
    return batches === 1 ? batch : this.once(`${batches}`, () => this.node('Mul', [batch, this.constant([batches])]));
  }

  private constant(values: readonly number[]): string {
    return this.once(`constant ${values}`, () => {
      const name = `size/${this.constants.length}`;
      const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      this.constants.push({ name, dtype: 'int64', shape: [values.length], bytes });
      return name;
    });
  }

  private node(operator: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}): string {
    const output = `size/node${this.nodes.length}`;
    this.nodes.push({ operator, domain: '', inputs, outputs: [output], attributes });
    return output;
  }

  private once(key: string, make: () => string): string {
    const known = this.names.get(key) ?? make();
    this.names.set(key, known);
    return known;
  }
}

function extentsOf(a: GraphConstant, b: GraphConstant): Extent[] {
  const [ofOne, ofOther] = [int64sOf(a), int64sOf(b)];
  if (ofOne.length !== ofOther.length) throw new Error('the number of axes depends on the batch');
  return ofOne.map((extent, index) => extentOf(extent, ofOther[index]!));
}

function extentOf(one: number, other: number): Extent {
  if (one === other) return one;
  const batches = one / tracedBatches[0];
  if (Number.isInteger(batches) && other === batches * tracedBatches[1]) return { batches };
  throw new Error(
    `an extent is no multiple of the batch: ${one} of ${tracedBatches[0]}, ${other} of ${tracedBatches[1]}`,
  );
}

function named(value: ModelValue, twin: ModelValue): ModelValue {
  const shape = value.shape.map((extent, axis) => {
    const found = extentOf(Number(extent), Number(twin.shape[axis]));
    if (typeof found === 'number') return found;
    if (found.batches !== 1) throw new Error(`${value.name} has an extent of ${found.batches} batches`);
    return batchName;
  });
  return { name: value.name, dtype: value.dtype, shape };
}

function signature({ operator, domain, outputs, attributes, inputs }: GraphNode): string {
  return JSON.stringify([operator, domain, outputs, attributes, inputs.length]);
}

function areEqual(a: GraphConstant, b: GraphConstant): boolean {
  return a.dtype === b.dtype && `${a.shape}` === `${b.shape}` && Buffer.compare(a.bytes, b.bytes) === 0;
}
