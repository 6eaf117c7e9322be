/** Kernels that reduce columns, or few long rows. */

import { sizeOf } from '../../../shared/arrays.js';
import type { Group } from '../loops/group.js';
import type { Grouped } from '../loops/groups.js';
import { byOf, computedBy, type KernelCode, startOf, threads, typeOf } from './kernel.js';
import { Pointers, Scope, storedTypes } from './scope.js';

/** Threads that a reduction of columns should have at least, and rows that one of them should take at least. */
const [manyThreads, fewRows] = [1 << 16, 16];

/** A thread waits some 500 ns for a number: it asks for several before it adds them up. */
const manyInFlight = '#pragma unroll 8';

/**
 * Reduces [outer, reduced, inner] to [outer, inner], in pieces where the result is small: the second kernel, where there is
 * one, adds up the pieces in temporary memory [pieces, outer, inner].
 */
export function columnKernels(
  group: Group,
  { repeated }: Grouped,
): { readonly kernels: readonly KernelCode[]; readonly temporaryBytes: number } {
  const value = [...group.members.keys()].find(({ made }) => made.kind === 'columns')!;
  const input = value.made.kind === 'columns' ? value.made.inputs[0] : value;
  const [outer, reduced, inner] = input.shape as [number, number, number];
  const results = outer * inner;
  const isRow = inner === 1;
  const wanted = isRow ? Math.ceil(reduced / 1024) : Math.ceil(reduced / fewRows);
  const pieces = Math.max(1, Math.min(wanted, Math.ceil(manyThreads / (isRow ? 32 : 1) / results), 1024));
  const size = Math.ceil(reduced / pieces);
  const pointers = new Pointers();
  const scope = new Scope(pointers, computedBy(group, repeated), { count: 0 });
  const element = scope.element(input, { shape: input.shape, coordinates: ['o', 'k', inner === 1 ? '0u' : 'n'] });
  const target = pieces === 1 ? pointers.nameOf(value, true) : 'pieces';
  const declarations =
    pieces === 1
      ? pointers.declarations()
      : [`${storedTypes[value.type]}* __restrict__ pieces`, pointers.declarations()].join(', ');
  const [by, type] = [byOf(value), typeOf(value)];
  const total = results * pieces;
  const [first, step] = isRow ? ['lane', 'WARP'] : ['0u', '1u'];
  const body = `
  const unsigned t = ${isRow ? `(blockIdx.x * ${threads}u + threadIdx.x) / WARP` : `blockIdx.x * ${threads}u + threadIdx.x`};
  ${isRow ? 'const unsigned lane = threadIdx.x % WARP;' : ''}
  if (t >= ${total}u) return;
  const unsigned piece = t / ${results}u, result = t % ${results}u, o = result / ${inner}u, n = result % ${inner}u;
  (void)o; (void)n;
  ${type} sum = ${startOf(by, value)};
  const unsigned end = ${reduced}u < (piece + 1u) * ${size}u ? ${reduced}u : (piece + 1u) * ${size}u;
  ${manyInFlight}
  for (unsigned k = piece * ${size}u + ${first}; k < end; k += ${step}) {
    ${scope.lines.join('\n    ')}
    sum = ${by}Of(sum, ${element});
  }
  ${isRow ? `ACROSS(${by}Of, sum)\n  if (lane == 0)` : ''} ${target}[t] = sum;`;
  const one = {
    text: `(${declarations}) {${body}\n}`,
    values: pieces === 1 ? pointers.values : [undefined, ...pointers.values],
    blocks: Math.ceil((total * (isRow ? 32 : 1)) / threads),
  };
  if (pieces === 1) return { kernels: [one], temporaryBytes: 0 };
  const two = {
    text: `(${storedTypes[value.type]}* __restrict__ a0, const ${storedTypes[value.type]}* __restrict__ pieces) {
  const unsigned lane = threadIdx.x % WARP, t = (blockIdx.x * ${threads}u + threadIdx.x) / WARP;
  if (t >= ${results}u) return;
  ${type} sum = ${startOf(by, value)};
  ${manyInFlight}
  for (unsigned k = lane; k < ${pieces}u; k += WARP) sum = ${by}Of(sum, pieces[k * ${results}u + t]);
  ACROSS(${by}Of, sum)
  if (lane == 0) a0[t] = sum;
}`,
    values: [value, undefined],
    blocks: Math.ceil((results * 32) / threads),
  };
  return { kernels: [one, two], temporaryBytes: 4 * sizeOf([results, pieces]) };
}
