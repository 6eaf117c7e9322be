/**
 * Mixed precision (Micikevicius et al. 2018) of a traced program: matrix products and attention, forward and backward, take
 * and give numbers of 16 bits; all else, sums onto other tensors, norms, softmax of losses, optimizer, and what is trained,
 * stays float32. Where only a view lies between two products, what passes stays narrow.
 *
 * bfloat16 has the exponents of float32, so that gradients need no loss scaling.
 */
import { pruned } from '../graph.js';
import { elementTypeCodes, type GraphConstant, type GraphNode, type GraphParts } from '../model-proto.js';

/** `native`: by kernels of bfloat16; `emulated`: by those of float32, on numbers that are rounded to bfloat16. */
export type NarrowProducts = 'native' | 'emulated';

const productOperators = new Set(['Gemm', 'MatMul', 'FusedMatMul', 'MultiHeadAttention']);
const views = new Set(['Reshape', 'Transpose']);

/** Of the narrow copy of a value, behind its name. */
const suffix = '/half';

/** The value that a narrow copy is of; any other name itself. */
export function widened(name: string): string {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

export function withNarrowProducts(graph: GraphParts, products: NarrowProducts): GraphParts {
  const constants = new Map(graph.constants.map((constant) => [constant.name, constant]));
  const producers = new Map<string, GraphNode>();
  const nodes: GraphNode[] = [];
  const halves = new Map<string, string>();

  const isNarrowBelow = (name: string): boolean => {
    const view = producers.get(name);
    return halves.has(name) || (view !== undefined && views.has(view.operator) && isNarrowBelow(view.inputs[0]!));
  };
  const halfOf = (name: string): string => {
    const known = halves.get(name);
    if (known !== undefined || name === '') return known ?? ''; // '' is an operand that is left out
    const half = `${name}${suffix}`;
    const constant = constants.get(name);
    const view = producers.get(name);
    if (constant) constants.set(half, narrowed(constant, half));
    else if (view && isNarrowBelow(name)) {
      const [viewed, ...rest] = view.inputs;
      nodes.push({ ...view, inputs: [halfOf(viewed!), ...rest], outputs: [half] });
    } else nodes.push(cast(name, half, 'bfloat16'));
    halves.set(name, half);
    return half;
  };

  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    if (!productOperators.has(node.operator)) {
      nodes.push(node);
      continue;
    }
    const output = node.outputs[0]!;
    const [left, right, ...rest] = node.inputs;
    // What Gemm adds to its product is added in float32: gradients are summed so.
    const addend = node.operator === 'Gemm' ? rest[0] : undefined;
    const inputs = [left!, right!, ...(addend === undefined ? rest : [])].map(halfOf);
    const product = addend === undefined ? output : `${output}/product`;
    const half = `${product}${suffix}`;
    const narrow = { ...node, inputs, outputs: [half] };
    nodes.push(...(products === 'native' ? [narrow] : emulated(narrow)));
    nodes.push(cast(half, product, 'float32'));
    if (addend === undefined) halves.set(output, half);
    else nodes.push({ operator: 'Add', domain: '', inputs: [product, addend], outputs: [output], attributes: {} });
  }
  // Nobody reads some of the wide copies.
  return pruned({ ...graph, nodes, constants: [...constants.values()] });
}

function cast(from: string, to: string, type: 'bfloat16' | 'float32'): GraphNode {
  const attributes = { to: { int: elementTypeCodes[type] } };
  return { operator: 'Cast', domain: '', inputs: [from], outputs: [to], attributes };
}

/** A product of the rounded numbers in float32, rounded once: what tensor cores do. */
function emulated(node: GraphNode): GraphNode[] {
  const [half] = node.outputs as readonly [string];
  const inputs = node.inputs.map((name, index) => (name === '' ? '' : `${half}/wide ${index}`));
  const widening = node.inputs.flatMap((name, index) => (name === '' ? [] : [cast(name, inputs[index]!, 'float32')]));
  return [...widening, { ...node, inputs, outputs: [`${half}/wide`] }, cast(`${half}/wide`, half, 'bfloat16')];
}

function narrowed({ shape, bytes }: GraphConstant, name: string): GraphConstant {
  const half = toBfloat16(new Float32Array(bytes.slice().buffer)); // a copy: offsets of bytes need not suit floats
  return { name, dtype: 'bfloat16', shape, bytes: new Uint8Array(half.buffer) };
}

/** The upper half of float32, rounded to the nearest, ties to even; numbers that are not finite stay what they are. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word) => {
    if ((word & 0x7f800000) === 0x7f800000) return (word >>> 16) | (word & 0xffff ? 1 : 0);
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}
