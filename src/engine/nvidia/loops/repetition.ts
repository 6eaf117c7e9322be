/** Maps that are computed again wherever they are read, instead of written. */

import { sizeOf } from '../../../shared/arrays.js';
import { isComputed, isInlined } from './uses.js';
import { inputsOf, type Value } from './value.js';

/** A source is so much smaller than the map that it may be written for the map's sake. */
const small = 8;

/**
 * What it takes to compute a map anew wherever it is read: maps that are repeated, too, and little that must be written. It
 * calls no function, and beside less reads one value of its own size, which is written anyway. Undefined where that is not so.
 */
export function repetitionOf(
  map: Value,
  written: ReadonlySet<Value>,
  repeated: ReadonlySet<Value>,
): { readonly maps: readonly Value[]; readonly sources: readonly Value[] } | undefined {
  const { made, shape } = map;
  if (made.kind !== 'map' || /\w\(/.test(made.code.replaceAll('rounded(', '('))) return undefined;
  if (made.inputs.filter((input) => sizeOf(input.shape) === sizeOf(shape)).length > 1) return undefined;
  const maps = [map];
  const sources: Value[] = [];
  for (const source of made.inputs.flatMap(sourcesOf).filter(isComputed)) {
    if (written.has(source) || repeated.has(source)) continue;
    if (sizeOf(source.shape) * small <= sizeOf(shape)) sources.push(source);
    else {
      const below = repetitionOf(source, written, repeated);
      if (!below) return undefined;
      maps.push(...below.maps);
      sources.push(...below.sources);
    }
  }
  return { maps, sources };
}

function sourcesOf(value: Value): readonly Value[] {
  return isInlined(value) ? inputsOf(value).flatMap(sourcesOf) : [value];
}
