/** Matrix products and attention as loop values. */
import type { Attribute } from '../../onnx/model-proto.js';
import { floatOf, intOf } from './attributes.js';
import { type Convert, MissingOperators, type Products } from './conversion.js';
import { broadcast, type Value, type Values } from './value.js';
import { affine, type Matrix, matrixOf as matrixIn } from './views.js';

interface ProductOptions {
  readonly alpha?: number;
  /** Of the axes in memory; the value has the axes of the product. */
  readonly order?: readonly number[];
}

/** Elements to which rows of many small matrices are padded: 16 bytes of bfloat16. */
const pitchStep = 8;

/** Rows from which a product is worth another copy of a weight. */
const manyRows = 2048;

/** Of matrices, each transposed. */
function swapped(values: Values, x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  return values.transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}

/** The same matrix, stored by columns. */
function turned(values: Values, matrix: Value): Value {
  return swapped(values, values.map('$0', [swapped(values, matrix)]));
}

/** How a factor lies in memory; undefined where neither its rows nor its columns lie without gaps. */
function matrixOf(factor: Value): Matrix | undefined {
  const place = affine(factor);
  return place && matrixIn(factor.shape, place.strides);
}

/** a [..., m, k] b [..., k, n]; batch axes are broadcast. */
export function product(
  values: Values,
  { isMixed, turnsSecond }: Products,
  a: Value,
  b: Value,
  { alpha = 1, order }: ProductOptions = {},
): Value {
  const batch = broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const shape = [...batch, a.shape.at(-2)!, b.shape.at(-1)!];
  const [left, right] = [a, b].map((factor) => {
    const whole = values.expand(values.again(factor), [...batch, ...factor.shape.slice(-2)]);
    const single = isMixed ? values.narrow(whole) : whole;
    const narrow = batch.length > 0 ? values.padded(single, pitchStep) : single;
    return matrixOf(narrow) ? narrow : values.map('$0', [narrow]);
  }) as [Value, Value];
  // A weight that many rows meet is turned for it.
  const isWeight =
    turnsSecond && batch.length === 0 && shape[0]! >= manyRows && right.shape.every((extent) => extent >= 64);
  const second = isWeight && !matrixOf(right)!.transposed ? turned(values, right) : right;
  const axes = shape.map((_, axis) => axis);
  // Rows or columns of the result must lie without gaps.
  const isWritable = order !== undefined && order.at(-1)! >= batch.length;
  const written = isWritable ? order : axes;
  const width = shape[written.at(-1)!]!;
  const pitch =
    batch.length > 0 && !isWritable && width % pitchStep !== 0 ? Math.ceil(width / pitchStep) * pitchStep : undefined;
  const result = values.make(
    { kind: 'product', alpha, inputs: [left, second], order: written },
    written.map((axis) => shape[axis]!),
    left.type,
    pitch,
  );
  const back = values.transpose(
    result,
    axes.map((axis) => written.indexOf(axis)),
  );
  return isMixed ? values.map('$0', [back], 'float32') : back;
}

/** softmax(q k^T / sqrt(head width)) v of [batch, tokens, heads * head width]. */
function attention(
  values: Values,
  products: Products,
  [query, key, value]: readonly Value[],
  attributes: Readonly<Record<string, Attribute>>,
): Value {
  if (intOf(attributes['unidirectional'])) throw new MissingOperators(['causal attention']);
  const heads = intOf(attributes['num_heads']);
  const [batch, tokens, width] = query!.shape as [number, number, number];
  const split = (x: Value, order: readonly number[]) =>
    values.transpose(values.reshape(x, [batch, x.shape[1]!, heads, width / heads]), order);
  const alpha = floatOf(attributes['scale'], Math.sqrt(heads / width));
  const scores = product(values, products, split(query!, [0, 2, 1, 3]), split(key!, [0, 2, 3, 1]), { alpha });
  const order = [0, 2, 1, 3];
  const result = product(values, products, softmax(values, products, scores), split(value!, [0, 2, 1, 3]), { order });
  return values.reshape(values.transpose(result, order), [batch, tokens, width]);
}

/** Over the last axis; of attention, as its products read it: rounded once, in rows apart. */
export function softmax(values: Values, { isMixed }: Products, x: Value): Value {
  const powers = values.map('expf($0 - $1)', [x, values.reduce('max', x)]);
  const shares = values.map('$0 / $1', [powers, values.reduce('sum', powers)]);
  if (x.shape.length < 3) return shares;
  return isMixed
    ? values.map('$0', [values.padded(values.narrow(shares), pitchStep)], 'float32')
    : values.padded(shares, pitchStep);
}

/** Gemm, MatMul and FusedMatMul: each has some of these attributes; Gemm adds a third matrix. */
const matrixProduct: Convert = ({ values, node, given, products }) => {
  const [a, b, addend] = given as [Value, Value, Value | undefined];
  const { transA, transB, alpha } = node.attributes;
  const order = products.orders.get(node.outputs[0]!);
  const result = product(
    values,
    products,
    intOf(transA) ? swapped(values, a) : a,
    intOf(transB) ? swapped(values, b) : b,
    { alpha: floatOf(alpha, 1), ...(order && { order }) },
  );
  return addend ? values.map('$0 + $1', [result, addend]) : result;
};

export const productConverters: Readonly<Record<string, Convert>> = {
  Gemm: matrixProduct,
  MatMul: matrixProduct,
  FusedMatMul: matrixProduct,
  MultiHeadAttention: ({ values, node, given, products }) =>
    attention(values, products, given as Value[], node.attributes),
};
