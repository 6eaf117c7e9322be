/** A traced graph (ONNX) as loop values. Norms, softmax and attention fall into maps, reductions and products. */

import { sizeOf } from '../../../shared/arrays.js';
import type { Precision } from '../../../shared/engine-names.js';
import { sameShape } from '../../onnx/graph.js';
import { type GraphConstant, type GraphNode, type GraphParts, int64sOf } from '../../onnx/model-proto.js';
import { intOf, intsOf } from './attributes.js';
import { type Conversion, type Convert, MissingOperators } from './conversion.js';
import { convolution, transposedConvolution } from './convolution.js';
import { languageConverters } from './language/operators.js';
import { movements } from './movements.js';
import { pointwise } from './operators.js';
import { productConverters } from './products.js';
import { reductions } from './reductions.js';
import { broadcast, type LoopType, type Value, Values } from './value.js';
import { affine, isContiguous } from './views.js';

export interface Converted {
  readonly values: Values;
  /** By their names in the graph. */
  readonly outputs: ReadonlyMap<string, Value>;
}

const typeOfCode: Readonly<Record<number, LoopType>> = {
  1: 'float32',
  2: 'uint8',
  6: 'int32',
  7: 'int32',
  9: 'bool',
  16: 'bfloat16',
};

/**
 * @param fixed names of inputs that lie where they lie: frozen weights
 * @throws MissingOperators
 */
export function convert(graph: GraphParts, precision: Precision, fixed: ReadonlySet<string>): Converted {
  const missing = new Set(graph.nodes.filter((node) => !converterOf(node)).map(({ operator }) => operator));
  if (missing.size > 0) throw new MissingOperators([...missing]);
  const values = new Values();
  const named = new Map<string, Value>();
  const whole = new Map<string, readonly number[]>();
  const inputs = new Map<string, Value>();
  for (const { name, shape, dtype } of graph.inputs) {
    const value = values.make({ kind: 'input', name }, shape as readonly number[], dtype as LoopType);
    named.set(name, value);
    inputs.set(name, value);
  }
  for (const constant of graph.constants) {
    if (constant.dtype === 'int64') whole.set(constant.name, int64sOf(constant));
    else named.set(constant.name, constantOf(values, constant));
  }
  const products = { isMixed: precision === 'mixed', turnsSecond: precision === 'tf32', orders: ordersOf(graph) };
  for (const [name, value] of inputs) if (fixed.has(name)) values.lasting.add(value);
  const placed = new Set(values.lasting);
  for (const node of graph.nodes) {
    const conversion: Conversion = {
      ...{ values, node, products, placed },
      given: node.inputs.map((name) => named.get(name)),
      whole: (index) => whole.get(node.inputs[index] ?? ''),
    };
    const result = converterOf(node)!(conversion);
    const made = 'made' in result ? [result] : result;
    for (const [index, name] of node.outputs.entries()) if (made[index]) named.set(name, made[index]);
  }
  const outputs = graph.outputs.map(({ name }) => [name, stored(values, named.get(name)!)] as const);
  return { values, outputs: new Map(outputs) };
}

const computed: readonly string[] = [
  'map',
  'reduce',
  'columns',
  'product',
  'packed',
  'scatter',
  'coded',
  'decoded',
  'attended',
];

/** A value whose elements lie side by side in memory of the program: views of others are copied. */
function stored(values: Values, value: Value): Value {
  const place = affine(value);
  const isPlain = place && isContiguous(value.shape, place.strides) && computed.includes(place.base.made.kind);
  return isPlain ? value : values.map('$0', [value]);
}

function constantOf(values: Values, { dtype, shape, bytes }: GraphConstant): Value {
  const type = dtype as LoopType;
  if (sizeOf(shape) !== 1) return values.make({ kind: 'constant', bytes }, shape, type);
  const { buffer } = bytes.slice();
  const number =
    type === 'float32' ? new Float32Array(buffer)[0]! : type === 'int32' ? new Int32Array(buffer)[0]! : bytes[0]!;
  return values.reshape(values.number(number, type), shape);
}

const productOperators: readonly string[] = ['FusedMatMul', 'MatMul', 'Gemm'];

/** In which order of axes the result of a product is best written: that which its only reader asks for. */
function ordersOf({ nodes, outputs }: GraphParts): ReadonlyMap<string, readonly number[]> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  const kept = new Set(outputs.map(({ name }) => name));
  const orders = new Map<string, readonly number[]>();
  for (const { operator, inputs, outputs: made } of nodes) {
    const [reader, ...others] = readers.get(made[0]!) ?? [];
    if (
      !productOperators.includes(operator) ||
      reader?.operator !== 'Transpose' ||
      others.length > 0 ||
      kept.has(made[0]!) ||
      inputs.length > 2
    )
      continue;
    orders.set(made[0]!, intsOf(reader.attributes['perm']));
  }
  return orders;
}

const converters: Readonly<Record<string, Convert>> = {
  ...movements,
  ...reductions,
  ...productConverters,
  ...languageConverters,
  Where: ({ values, given }) => values.map('($0 ? $1 : $2)', given as Value[], given[1]!.type),
  Cast: ({ values, node, given }) => {
    const type = typeOfCode[intOf(node.attributes['to'])]!;
    const code = {
      float32: '(float)$0',
      int32: '(int)$0',
      bool: '$0 != 0',
      uint8: '(unsigned char)$0',
      bfloat16: 'rounded($0)',
    }[type];
    return type === given[0]!.type ? given[0]! : values.map(code, [given[0]!], type);
  },
  Conv: convolution,
  ConvTranspose: transposedConvolution,
};

function converterOf(node: GraphNode): Convert | undefined {
  const known = converters[node.operator];
  if (known) return known;
  const element = pointwise(node);
  if (!element) return undefined;
  return ({ values, given }) => {
    const inputs = given as Value[];
    const { code, type = inputs[0]!.type } = element;
    const result = values.map(code, inputs, type);
    const shape = broadcast(inputs.map((input) => input.shape));
    return sameShape(result.shape, shape) ? result : values.reshape(result, shape);
  };
}
