/** The kernel that writes keys and values of new tokens to where they are kept. */
import { sizeOf } from '../../../../shared/arrays.js';
import type { Value } from '../../loops/value.js';
import { type KernelCode, threads } from '../kernel.js';
import { Pointers, Scope } from '../scope.js';

/** @param value [2, slots, heads, capacity, headWidth], kept */
export function keptRowsKernel(value: Value): KernelCode {
  if (value.made.kind !== 'kept') throw new Error(`${value.made.kind} is not kept`);
  const [, keys, values, first] = value.made.inputs;
  const [, slots, heads, capacity, headWidth] = value.shape as [number, number, number, number, number];
  const [, tokens, width] = keys.shape as [number, number, number];
  const each = sizeOf(keys.shape);
  const pointers = new Pointers();
  const scope = new Scope(pointers, new Set(), { count: 0 });
  const start = scope.element(first, { shape: first.shape, flat: '0u' });
  const [key, kept] = [keys, values].map((rows) => scope.element(rows, { shape: rows.shape, flat: 'r' }));
  const target = pointers.nameOf(value, true);
  const text = `(${pointers.declarations()}) {
  const unsigned i = blockIdx.x * ${threads}u + threadIdx.x;
  if (i >= ${2 * each}u) return;
  const unsigned half = i / ${each}u, r = i % ${each}u, c = r % ${width}u, slot = r / ${tokens * width}u;
  ${scope.lines.join('\n  ')}
  const unsigned at = (unsigned)${start} + r / ${width}u % ${tokens}u;
  if (at >= ${capacity}u) return;
  const unsigned row = ((half * ${slots}u + slot) * ${heads}u + c / ${headWidth}u) * ${capacity}u + at;
  ${target}[row * ${headWidth}u + c % ${headWidth}u] = half == 0u ? ${key} : ${kept};
}`;
  return { text, values: pointers.values, blocks: Math.ceil((2 * each) / threads) };
}
