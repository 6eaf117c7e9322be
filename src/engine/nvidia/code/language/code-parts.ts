/** Matrices of 8 bits that stand one below the other: where a row of all of them lies. */
import type { Value } from '../../loops/value.js';
import type { Pointers } from '../scope.js';

export interface CodePart {
  /** uint8 [rows, width] */
  readonly codes: Value;
  /** float32 [rows]; left out where nothing asks for it. */
  readonly scale?: Value;
}

/** C++ of the codes of row o, and of its scale. */
export function rowOf(
  pointers: Pointers,
  parts: readonly CodePart[],
): { readonly codes: string; readonly scale: string } {
  let end = 0;
  const named = parts.map(({ codes, scale }) => {
    const [rows, width] = codes.shape as [number, number];
    const at = end === 0 ? 'o' : `(o - ${end}u)`;
    end += rows;
    const start = `${pointers.nameOf(codes)} + ${at} * ${width}ull`;
    return { codes: start, scale: scale ? `${pointers.nameOf(scale)}[${at}]` : '', end };
  });
  const chosen = (what: 'codes' | 'scale') =>
    named.slice(0, -1).reduceRight((rest, part) => `o < ${part.end}u ? ${part[what]} : ${rest}`, named.at(-1)![what]);
  return { codes: chosen('codes'), scale: chosen('scale') };
}
