/** Sums and extremes along axes, and what is made of them: softmax, norms. */

import { sizeOf } from '../../../shared/arrays.js';
import type { GraphNode } from '../../onnx/model-proto.js';
import { floatOf, intOf } from './attributes.js';
import type { Convert } from './conversion.js';
import { literal } from './operators.js';
import { softmax } from './products.js';
import type { Reduction, Value, Values } from './value.js';

const keepsAxes = ({ attributes }: GraphNode) => intOf(attributes['keepdims'], 1) === 1;

function reducedShape({ shape }: Value, axes: readonly number[], keeps: boolean): number[] {
  return shape.flatMap((extent, axis) => (axes.includes(axis) ? (keeps ? [1] : []) : [extent]));
}

/** By which a reduction goes along any axes: rows in a loop of their own, everything else as columns. */
function reduceAxes(values: Values, by: Reduction, x: Value, axes: readonly number[], keeps: boolean): Value {
  const reduced = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)).toSorted((a, b) => a - b);
  const shape = reducedShape(x, reduced, keeps);
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
    const result = reduceAxes(values, by, x, axes, keepsAxes(node));
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
    return values.reshape(values.reduce('min', candidates), reducedShape(x, [along], keepsAxes(node)));
  };
}

export const reductions: Readonly<Record<string, Convert>> = {
  ArgMax: extremePlace('max'),
  ArgMin: extremePlace('min'),
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
    const result = offset ? values.map('$0 + $1', [scaled, offset]) : scaled;
    values.norms.add(result);
    return [result, average, inverse];
  },
};
