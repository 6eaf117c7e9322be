/** Who reads a value, and at which places. */
import { sizeOf } from '../../../shared/arrays.js';
import { inputsOf, type Value } from './value.js';
import { affine, isWhole } from './views.js';

export interface Use {
  readonly reader: Value;
  /** At which of the reader's places: at the same, at that of its row, anywhere, or anywhere if at all. */
  readonly at: 'element' | 'row' | 'anywhere' | 'perhaps';
}

const inlined: readonly string[] = ['view', 'concat', 'pad', 'gather'];
export const isInlined = ({ made }: Value) => inlined.includes(made.kind);
export const isComputed = ({ made }: Value) =>
  !['input', 'constant', 'number'].includes(made.kind) && !inlined.includes(made.kind);

/** Who reads each computed value, views in between. */
export function usesOf(values: readonly Value[]): ReadonlyMap<Value, readonly Use[]> {
  const uses = new Map<Value, Use[]>();
  const note = (value: Value, use: Use): void => {
    if (isInlined(value)) {
      if (value.made.kind !== 'view') for (const input of inputsOf(value)) note(input, { ...use, at: 'perhaps' });
      else if (isWhole(value)) note(affine(value)!.base, use);
      else note(value.made.inputs[0], use.at === 'perhaps' ? use : { ...use, at: 'anywhere' });
    } else if (isComputed(value)) uses.set(value, [...(uses.get(value) ?? []), use]);
  };
  for (const reader of values) {
    if (isComputed(reader)) for (const input of inputsOf(reader)) note(input, { reader, at: placeOf(reader, input) });
  }
  return uses;
}

function placeOf(reader: Value, input: Value): Use['at'] {
  if (reader.made.kind === 'reduce' || reader.made.kind === 'columns') return 'element';
  if (reader.made.kind !== 'map') return 'anywhere';
  const [from, to] = [input.shape, reader.shape];
  if (sizeOf(from) === sizeOf(to)) return 'element';
  const isRow =
    from.length === to.length &&
    from.at(-1) === 1 &&
    from.every((extent, axis) => axis === to.length - 1 || extent === to[axis]);
  return isRow ? 'row' : 'anywhere';
}
