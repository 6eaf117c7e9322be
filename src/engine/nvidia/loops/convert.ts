/** A traced graph (ONNX) as loop values. Norms, softmax and attention fall into maps, reductions and products here. */
import type { Precision } from '../../../shared/engine-names.js';
import type { GraphConstant, GraphNode, GraphParts } from '../../onnx/model-proto.js';
import { floatOf, intOf, intsOf } from './attributes.js';
import type { Conversion, Convert } from './conversion.js';
import { convolution, transposedConvolution } from './convolution.js';
import { literal, pointwise } from './operators.js';
import { attention, product, softmax } from './products.js';
import { broadcast, type LoopType, type Reduction, sameShape, sizeOf, type Value, Values } from './value.js';
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
  const placed = new Set([...inputs].flatMap(([name, value]) => (fixed.has(name) ? [value] : [])));
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

const computed: readonly string[] = ['map', 'reduce', 'columns', 'product', 'packed', 'scatter'];

/** A value whose elements lie side by side in memory of the program: views of others are copied. */
function stored(values: Values, value: Value): Value {
  const place = affine(value);
  const isPlain = place && isContiguous(value.shape, place.strides) && computed.includes(place.base.made.kind);
  return isPlain ? value : values.map('$0', [value]);
}

export class MissingOperators extends Error {
  constructor(readonly operators: readonly string[]) {
    super(`no kernel for ${operators.join(', ')}`);
  }
}

function int64sOf({ bytes }: GraphConstant): number[] {
  return Array.from(new BigInt64Array(bytes.slice().buffer), Number);
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

/** By which a reduction goes along any axes: rows in a loop of their own, everything else as columns. */
export function reduceAxes(values: Values, by: Reduction, x: Value, axes: readonly number[], keeps: boolean): Value {
  const reduced = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)).toSorted((a, b) => a - b);
  const shape = x.shape.flatMap((extent, axis) => (reduced.includes(axis) ? (keeps ? [1] : []) : [extent]));
  const count = reduced.reduce((product, axis) => product * x.shape[axis]!, 1);
  const rows = sizeOf(x.shape) / count;
  const isLast = reduced.every((axis, index) => axis === x.shape.length - reduced.length + index);
  // A warp takes a row: few long ones are cut into pieces.
  if (isLast && !(count > 4096 && rows < 2048)) {
    return values.reshape(values.reduce(by, values.reshape(x, [rows, count])), shape);
  }
  const isTogether = reduced.every((axis, index) => axis === reduced[0]! + index);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis));
  const ordered = isTogether ? x : values.transpose(x, [...kept, ...reduced]);
  const inner = isTogether ? sizeOf(x.shape.slice(reduced.at(-1)! + 1)) : 1;
  const input = values.reshape(ordered, [rows / inner, count, inner]);
  const sums = values.make({ kind: 'columns', by, inputs: [input] }, [rows / inner, inner], x.type);
  return values.reshape(sums, shape);
}

function reduction(by: Reduction, isMean = false): Convert {
  return ({ values, node, given, whole }) => {
    const x = given[0]!;
    const axes = whole(1) ?? x.shape.map((_, axis) => axis);
    const result = reduceAxes(values, by, x, axes, intOf(node.attributes['keepdims'], 1) === 1);
    return isMean ? values.map(`$0 * ${literal(sizeOf(result.shape) / sizeOf(x.shape))}`, [result]) : result;
  };
}

function mean(values: Values, x: Value): Value {
  return values.map(`$0 * ${literal(1 / x.shape.at(-1)!)}`, [values.reduce('sum', x)]);
}

/** The first place along an axis at which the greatest (or least) element stands. */
function extremePlace(by: 'max' | 'min'): Convert {
  return ({ values, node, given }) => {
    const x = given[0]!;
    const rank = x.shape.length;
    const along = (intOf(node.attributes['axis']) + rank) % rank;
    const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== along);
    const rows = values.transpose(x, [...others, along]);
    const length = x.shape[along]!;
    const bytes = new Uint8Array(Int32Array.from({ length }, (_, place) => place).buffer);
    const places = values.make({ kind: 'constant', bytes }, [length], 'int32');
    const candidates = values.map(`($0 == $1 ? $2 : ${length - 1})`, [rows, values.reduce(by, rows), places], 'int32');
    const kept = intOf(node.attributes['keepdims'], 1) === 1;
    const shape = x.shape.flatMap((extent, axis) => (axis === along ? (kept ? [1] : []) : [extent]));
    return values.reshape(values.reduce('min', candidates), shape);
  };
}

const converters: Readonly<Record<string, Convert>> = {
  ArgMax: extremePlace('max'),
  ArgMin: extremePlace('min'),
  Identity: ({ given }) => given[0]!,
  Reshape: ({ values, given, whole }) => values.reshape(given[0]!, whole(1)!),
  Transpose: ({ values, node, given }) => values.transpose(given[0]!, intsOf(node.attributes['perm'])),
  Expand: ({ values, given, whole }) => values.expand(given[0]!, whole(1)!),
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
  Slice: ({ values, given, whole }) => {
    const x = given[0]!;
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map(whole);
    const all = { starts: x.shape.map(() => 0), steps: x.shape.map(() => 1), shape: [...x.shape] };
    for (const [index, given] of (axes ?? starts!.map((_, axis) => axis)).entries()) {
      const axis = given < 0 ? given + x.shape.length : given;
      const extent = x.shape[axis]!;
      const step = steps?.[index] ?? 1;
      const place = (at: number) =>
        Math.max(step < 0 ? -1 : 0, Math.min(at < 0 ? at + extent : at, step < 0 ? extent - 1 : extent));
      const [start, end] = [place(starts![index]!), place(ends![index]!)];
      all.starts[axis] = start;
      all.steps[axis] = step;
      all.shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    }
    return values.slice(x, all.starts, all.steps, all.shape);
  },
  Split: ({ values, node, given, whole }) => {
    const x = given[0]!;
    const axis = intOf(node.attributes['axis']);
    let start = 0;
    return whole(1)!.map((size) => {
      const part = values.slice(
        x,
        x.shape.map((_, at) => (at === axis ? start : 0)),
        x.shape.map(() => 1),
        x.shape.with(axis, size),
      );
      start += size;
      return part;
    });
  },
  Concat: (conversion) => concat(conversion, intOf(conversion.node.attributes['axis'])),
  Tile: ({ values, given, whole }) => {
    // [a, b] repeated [m, n] times is [m, a, n, b].
    const x = given[0]!;
    const repeats = whole(1)!;
    const pairs = x.shape.flatMap((extent, axis) => [repeats[axis]!, extent]);
    const apart = values.reshape(
      x,
      x.shape.flatMap((extent) => [1, extent]),
    );
    return values.reshape(
      values.expand(apart, pairs),
      x.shape.map((extent, axis) => extent * repeats[axis]!),
    );
  },
  Pad: ({ values, given, whole }) => {
    const x = given[0]!;
    const pads = whole(1)!;
    const rank = x.shape.length;
    const filled = given[2]?.made;
    const number = filled?.kind === 'number' ? filled.number : 0;
    const shape = x.shape.map((extent, axis) => extent + pads[axis]! + pads[axis + rank]!);
    return values.make({ kind: 'pad', before: pads.slice(0, rank), number, inputs: [x] }, shape, x.type);
  },
  Gather: ({ values, node, given }) => {
    const [x, indices] = given as [Value, Value];
    const axis = intOf(node.attributes['axis']);
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return values.make({ kind: 'gather', axis, inputs: [x, indices] }, shape, x.type);
  },
  ScatterND: ({ values, given }) => {
    const [zeros, places, rows] = given as [Value, Value, Value];
    const inputs = [values.reshape(places, [sizeOf(places.shape)]), rows] as const;
    return values.make({ kind: 'scatter', inputs }, zeros.shape, rows.type);
  },
  ReduceSum: reduction('sum'),
  ReduceMean: reduction('sum', true),
  ReduceMax: reduction('max'),
  ReduceMin: reduction('min'),
  ReduceProd: reduction('prod'),
  Softmax: ({ values, given, products }) => softmax(values, products, given[0]!),
  LogSoftmax: ({ values, given }) => {
    const x = given[0]!;
    const centred = values.map('$0 - $1', [x, values.reduce('max', x)]);
    return values.map('$0 - logf($1)', [centred, values.reduce('sum', values.map('expf($0)', [centred]))]);
  },
  LayerNormalization: ({ values, node, given }) => {
    const [x, scale, offset] = given as [Value, Value, Value | undefined];
    const average = mean(values, x);
    const centred = values.map('$0 - $1', [x, average]);
    const variance = mean(values, values.map('$0 * $0', [centred]));
    const inverse = values.map(`1.0f / sqrtf($0 + ${literal(floatOf(node.attributes['epsilon'], 1e-5))})`, [variance]);
    const scaled = values.map('$0 * $1 * $2', [centred, inverse, scale]);
    return [offset ? values.map('$0 + $1', [scaled, offset]) : scaled, average, inverse];
  },
  Gemm: ({ values, node, given, products }) => {
    const [a, b, addend] = given as [Value, Value, Value | undefined];
    const turned = (x: Value, name: string) => (intOf(node.attributes[name]) ? values.transpose(x, [1, 0]) : x);
    const alpha = floatOf(node.attributes['alpha'], 1);
    const order = products.orders.get(node.outputs[0]!);
    const options = { alpha, ...(order && { order }) };
    const result = product(values, products, turned(a, 'transA'), turned(b, 'transB'), options);
    return addend ? values.map('$0 + $1', [result, addend]) : result;
  },
  MatMul: ({ values, node, given, products }) => {
    const order = products.orders.get(node.outputs[0]!);
    return product(values, products, given[0]!, given[1]!, order && { order });
  },
  FusedMatMul: ({ values, node, given, products }) => {
    const turned = (x: Value, name: string) => {
      const axes = x.shape.map((_, axis) => axis);
      return intOf(node.attributes[name]) ? values.transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]) : x;
    };
    const order = products.orders.get(node.outputs[0]!);
    const options = { alpha: floatOf(node.attributes['alpha'], 1), ...(order && { order }) };
    return product(values, products, turned(given[0]!, 'transA'), turned(given[1]!, 'transB'), options);
  },
  MultiHeadAttention: ({ values, node, given, products }) =>
    attention(values, products, given as Value[], node.attributes),
  Conv: convolution,
  ConvTranspose: transposedConvolution,
};

/** Side by side in memory where nothing lies between the parts, so that they are written there at once. */
function concat({ values, given, placed }: Conversion, axis: number): Value {
  const parts = given as Value[];
  const first = parts[0]!;
  const along = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = first.shape.with(axis, along);
  const apart = () => values.make({ kind: 'concat', axis, inputs: parts }, shape, first.type);
  if (sizeOf(shape.slice(0, axis)) !== 1) return apart();
  const inputs: Value[] = [];
  for (const part of parts) {
    const whole = wholeOf(part);
    const own = whole && !placed.has(whole) ? whole : copied(values, whole ?? part, placed.size);
    if (placed.has(own)) return apart();
    placed.add(own);
    inputs.push(own);
  }
  return values.make({ kind: 'packed', inputs }, shape, first.type);
}

/** Of an input, by what copies the inputs in anyway. */
function copied(values: Values, value: Value, copy: number): Value {
  const { made, shape, type } = value;
  return made.kind === 'input' ? values.make({ ...made, copy }, shape, type) : values.map('$0', [value]);
}

/** What a part shows all of, in its order, where that can be written anywhere. */
function wholeOf(part: Value): Value | undefined {
  const { made, pitch } = part;
  if (made.kind === 'view' && made.map.kind === 'reshape') return wholeOf(made.inputs[0]);
  return pitch === undefined && ['input', 'map', 'reduce', 'columns', 'product'].includes(made.kind) ? part : undefined;
}

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
