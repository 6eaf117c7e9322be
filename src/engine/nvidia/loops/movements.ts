/** Operators that move elements: views, parts, and what lies side by side. */

import { sizeOf } from '../../../shared/arrays.js';
import { intOf, intsOf } from './attributes.js';
import type { Conversion, Convert } from './conversion.js';
import type { Value, Values } from './value.js';

export const movements: Readonly<Record<string, Convert>> = {
  Identity: ({ given }) => given[0]!,
  Reshape: ({ values, given, whole }) => values.reshape(given[0]!, whole(1)!),
  Transpose: ({ values, node, given }) => values.transpose(given[0]!, intsOf(node.attributes['perm'])),
  Expand: ({ values, given, whole }) => values.expand(given[0]!, whole(1)!),
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
