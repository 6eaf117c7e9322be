/** Where the elements of a view lie in the memory of what it shows. */
import { sizeOf } from '../../../shared/arrays.js';
import { sameShape } from '../../onnx/graph.js';
import type { Value } from './value.js';

/** Element [i, j, ...] lies at offset + i strides[0] + j strides[1] + ... of the base. */
export interface Place {
  readonly base: Value;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Strides of elements one after the other. */
export function contiguous(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  const expected = contiguous(shape);
  return shape.every((extent, axis) => extent === 1 || strides[axis] === expected[axis]);
}

/** Strides of a computed value or an input itself. */
export function stridesOf({ shape, pitch }: Value): number[] {
  const strides = contiguous(shape);
  if (pitch === undefined) return strides;
  const width = shape.at(-1)!;
  return strides.map((stride, axis) => (axis === shape.length - 1 ? 1 : (stride / width) * pitch));
}

const places = new WeakMap<Value, Place | null>();

/** Undefined where no offset and strides say it. */
export function affine(value: Value): Place | undefined {
  const known = places.get(value);
  if (known !== undefined) return known ?? undefined;
  const place = placeOf(value);
  places.set(value, place ?? null);
  return place;
}

/** Whether a view shows all elements of a value in their order, as reshaping does and several transpositions may. */
export function isWhole(value: Value): boolean {
  const place = affine(value);
  if (place?.offset !== 0 || place.base.pitch !== undefined) return false;
  return sizeOf(value.shape) === sizeOf(place.base.shape) && isContiguous(value.shape, place.strides);
}

function placeOf(value: Value): Place | undefined {
  const { made } = value;
  if (made.kind === 'concat' || made.kind === 'pad' || made.kind === 'gather' || made.kind === 'number')
    return undefined;
  if (made.kind !== 'view') return { base: value, offset: 0, strides: stridesOf(value) };
  const shown = made.inputs[0];
  const place = affine(shown);
  if (!place) return undefined;
  const { base, offset, strides } = place;
  switch (made.map.kind) {
    case 'transpose':
      return { base, offset, strides: made.map.order.map((axis) => strides[axis]!) };
    case 'slice': {
      const { starts, steps } = made.map;
      return {
        base,
        offset: offset + starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0),
        strides: strides.map((stride, axis) => stride * steps[axis]!),
      };
    }
    case 'expand':
      return {
        base,
        offset,
        strides: strides.map((stride, axis) => (shown.shape[axis] === value.shape[axis] ? stride : 0)),
      };
    case 'reshape': {
      const reshaped = reshapedStrides(shown.shape, strides, value.shape);
      return reshaped && { base, offset, strides: reshaped };
    }
  }
}

/** As NumPy's attempt to reshape without a copy: groups of axes of equal size, each of which lies without gaps. */
function reshapedStrides(
  from: readonly number[],
  strides: readonly number[],
  to: readonly number[],
): number[] | undefined {
  if (sameShape(from, to)) return [...strides];
  const axes = from.map((extent, axis) => ({ extent, stride: strides[axis]! })).filter(({ extent }) => extent !== 1);
  const result = to.map(() => 0);
  let [read, written] = [0, 0];
  while (written < to.length) {
    if (to[written] === 1) {
      written++;
      continue;
    }
    const first = { read, written };
    let [have, want] = [axes[read]?.extent ?? 1, to[written]!];
    while (have !== want) {
      if (have < want) {
        read++;
        if (read >= axes.length) return undefined;
        have *= axes[read]!.extent;
      } else {
        written++;
        if (written >= to.length) return undefined;
        want *= to[written]!;
      }
    }
    for (let axis = first.read; axis < read; axis++) {
      if (axes[axis]!.stride !== axes[axis + 1]!.extent * axes[axis + 1]!.stride) return undefined;
    }
    let stride = axes[read]?.stride ?? 1;
    for (let axis = written; axis >= first.written; axis--) {
      result[axis] = stride;
      stride *= to[axis]!;
    }
    read++;
    written++;
  }
  return result;
}

/** Many matrices in memory: rows, or columns where they are transposed, of elements side by side. */
export interface Matrix {
  readonly transposed: boolean;
  /** Elements from row to row. */
  readonly pitch: number;
  /** Elements from the first matrix to each. */
  readonly offsets: readonly number[];
}

/** @param strides of [..., rows, columns] */
export function matrixOf(shape: readonly number[], strides: readonly number[]): Matrix | undefined {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const [down, across] = strides.slice(-2) as [number, number];
  const offsets = offsetsOf(shape.slice(0, -2), strides.slice(0, -2));
  if ((across === 1 || columns === 1) && (down >= columns || rows === 1)) {
    return { transposed: false, pitch: Math.max(columns, rows === 1 ? 0 : down), offsets };
  }
  if ((down === 1 || rows === 1) && (across >= rows || columns === 1)) {
    return { transposed: true, pitch: Math.max(rows, columns === 1 ? 0 : across), offsets };
  }
  return undefined;
}

function offsetsOf(shape: readonly number[], strides: readonly number[]): number[] {
  return shape.reduce(
    (offsets, extent, axis) =>
      offsets.flatMap((offset) => Array.from({ length: extent }, (_, index) => offset + index * strides[axis]!)),
    [0],
  );
}
