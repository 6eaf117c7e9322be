/** The kernel that adds rows at given places. */
import { sizeOf } from '../../../shared/arrays.js';
import type { Value } from '../loops/value.js';
import { type KernelCode, threads } from './kernel.js';
import { Pointers, Scope } from './scope.js';

/** Adds rows [count, width] to zeros [rows, width] at places [count]. The zeros are there; rows that meet are added in any order. */
export function scatterKernel(value: Value): KernelCode {
  const [places, rows] = value.made.kind === 'scatter' ? value.made.inputs : [value, value];
  const width = sizeOf(value.shape.slice(1));
  const total = sizeOf(rows.shape);
  const pointers = new Pointers();
  const scope = new Scope(pointers, new Set(), { count: 0 });
  const place = scope.element(places, { shape: places.shape, flat: 'p' });
  const element = scope.element(rows, { shape: rows.shape, flat: 'i' });
  const target = pointers.nameOf(value, true);
  const text = `(${pointers.declarations()}) {
  const unsigned i = blockIdx.x * ${threads}u + threadIdx.x;
  if (i >= ${total}u) return;
  const unsigned p = i / ${width}u;
  ${scope.lines.join('\n  ')}
  atomicAdd(${target} + (unsigned)${place} * ${width}u + i % ${width}u, ${element});
}`;
  return { text, values: pointers.values, blocks: Math.ceil(total / threads) };
}
