/** The C++ of one kernel. Equal text means the same kernel, whatever it is called for: blocks of a network share theirs. */
import type { Group, Grouped } from '../loops/groups.js';
import type { Reduction, Value } from '../loops/value.js';
import { sizeOf } from '../loops/value.js';
import { type Index, Pointers, Scope, storedTypes } from './scope.js';

export interface KernelCode {
  /** Parameters and body. */
  readonly text: string;
  /** Values whose addresses it takes, in order; `undefined` is the temporary memory. */
  readonly values: readonly (Value | undefined)[];
  readonly blocks: number;
}

export const threads = 256;

/** Elements of one thread: reads of one wait for those of another. */
const perThread = 4;

const neutral: Readonly<Record<Reduction, { readonly float: string; readonly int: string }>> = {
  sum: { float: '0.0f', int: '0' },
  prod: { float: '1.0f', int: '1' },
  max: { float: '(-INFINITY)', int: '(-2147483647 - 1)' },
  min: { float: 'INFINITY', int: '2147483647' },
};

const typeOf = ({ type }: Value) => (type === 'int32' ? 'int' : 'float');
const startOf = (by: Reduction, value: Value) => neutral[by][typeOf(value)];

/** Undefined where nobody reads what the group computes. */
export function loopKernel(group: Group, { written, repeated }: Grouped): KernelCode | undefined {
  const computes = new Set([...group.members.keys(), ...repeated]);
  const reductions = [...group.members.keys()].filter(({ made }) => made.kind === 'reduce');
  const stored = [...group.members].filter(([value]) => written.has(value));
  if (stored.length === 0) return undefined;
  return reductions.length > 0
    ? rowKernel(group, group.width!, reductions, stored, computes)
    : flatKernel(group, stored, computes);
}

/** Elements of a row up to which its loops are written out: what one of them has read is then at hand in the next. */
const unrolledWidth = 1024;

type Stored = readonly (readonly [Value, string])[];

function flatKernel(group: Group, stored: Stored, computes: ReadonlySet<Value>): KernelCode {
  const pointers = new Pointers();
  const scope = new Scope(pointers, computes, { count: 0 });
  for (const [value, role] of stored) {
    if (role === 'element') store(scope, pointers, value, { shape: value.shape, flat: 'i' });
    else storeOnce(scope, pointers, value, group.width!);
  }
  const body = `
  #pragma unroll
  for (unsigned turn = 0; turn < ${perThread}u; turn++) {
    const unsigned i = (blockIdx.x * ${perThread}u + turn) * ${threads}u + threadIdx.x;
    if (i >= ${group.elements}u) return;
    ${scope.lines.join('\n    ')}
  }`;
  return {
    text: `(${pointers.declarations()}) {${body}\n}`,
    values: pointers.values,
    blocks: Math.ceil(group.elements / (threads * perThread)),
  };
}

function store(scope: Scope, pointers: Pointers, value: Value, index: Index): void {
  const element = scope.element(value, index);
  const name = pointers.nameOf(value, true);
  const bits = value.type === 'bfloat16' ? `narrowed(${element})` : element;
  scope.lines.push(`${name}[${scope.addressOf(value, index)}] = ${bits};`);
}

/** What a row has in common, by the thread of its first element. */
function storeOnce(scope: Scope, pointers: Pointers, value: Value, width: number): void {
  const row = scope.named(`i / ${width}u`);
  const element = scope.element(value, { shape: value.shape, flat: row });
  const bits = value.type === 'bfloat16' ? `narrowed(${element})` : element;
  scope.lines.push(`if (i % ${width}u == 0u) ${pointers.nameOf(value, true)}[${row}] = ${bits};`);
}

function rowKernel(
  group: Group,
  width: number,
  reductions: readonly Value[],
  stored: Stored,
  computes: ReadonlySet<Value>,
): KernelCode {
  const rows = group.elements / width;
  const pointers = new Pointers();
  const counter = { count: 0 };
  const outer = new Scope(pointers, computes, counter);
  const row = { row: 'r', column: 'c', width };
  const at = (value: Value): Index => ({ shape: value.shape, flat: 'i', row });
  const loop = (declarations: readonly string[], fill: (scope: Scope) => void) => {
    const scope = new Scope(pointers, computes, counter, outer);
    fill(scope);
    outer.lines.push(
      ...declarations,
      ...(width <= unrolledWidth ? ['#pragma unroll'] : []),
      `for (unsigned turn = 0; turn < (${width}u + WARP - 1) / WARP; turn++) {`,
      '  const unsigned c = turn * WARP + lane;',
      ...(width % 32 === 0 ? [] : [`  if (c >= ${width}u) break;`]),
      `  const unsigned i = r * ${width}u + c;`,
      ...scope.lines.map((line) => `  ${line}`),
      '}',
    );
  };
  for (const level of levelsOf(reductions, group)) {
    const sums = level.map((value) => ({ value, by: byOf(value), name: `s${counter.count++}` }));
    const declarations = sums.map(({ value, by, name }) => `${typeOf(value)} ${name} = ${startOf(by, value)};`);
    loop(declarations, (scope) => {
      for (const { value, by, name } of sums) {
        const input = value.made.kind === 'reduce' ? value.made.inputs[0] : value;
        scope.lines.push(`${name} = ${by}Of(${name}, ${scope.element(input, at(input))});`);
      }
    });
    for (const { value, by, name } of sums) {
      outer.lines.push(`ACROSS(${by}Of, ${name})`);
      outer.know(value, { shape: value.shape, flat: 'r' }, name);
    }
  }
  const elements = stored.filter(([, role]) => role === 'element');
  if (elements.length > 0) {
    loop([], (scope) => {
      for (const [value] of elements) store(scope, pointers, value, at(value));
    });
  }
  const singles = stored
    .filter(([, role]) => role === 'row')
    .map(([value]) => ({ value, element: outer.element(value, { shape: value.shape, flat: 'r' }) }));
  if (singles.length > 0) {
    const lines = singles.map(
      ({ value, element }) =>
        `${pointers.nameOf(value, true)}[r] = ${value.type === 'bfloat16' ? `narrowed(${element})` : element};`,
    );
    outer.lines.push(`if (lane == 0) { ${lines.join(' ')} }`);
  }
  const body = `
  const unsigned lane = threadIdx.x % WARP, r = (blockIdx.x * ${threads}u + threadIdx.x) / WARP;
  if (r >= ${rows}u) return;
  ${outer.lines.join('\n  ')}`;
  return {
    text: `(${pointers.declarations()}) {${body}\n}`,
    values: pointers.values,
    blocks: Math.ceil((rows * 32) / threads),
  };
}

function byOf({ made }: Value): Reduction {
  return made.kind === 'reduce' || made.kind === 'columns' ? made.by : 'sum';
}

/** Reductions that can go in one pass, pass after pass: a later one needs what an earlier one found. */
function levelsOf(reductions: readonly Value[], group: Group): Value[][] {
  const levels = new Map<Value, number>();
  const levelOf = (value: Value): number => {
    const known = levels.get(value);
    if (known !== undefined) return known;
    const below = 'inputs' in value.made ? value.made.inputs : [];
    const highest = Math.max(0, ...below.map((input) => levelOf(input)));
    const level =
      value.made.kind === 'reduce' && group.members.has(value)
        ? highest + 1
        : group.members.has(value) || value.made.kind === 'view'
          ? highest
          : 0;
    levels.set(value, level);
    return level;
  };
  const result: Value[][] = [];
  for (const value of reductions) {
    const level = levelOf(value) - 1;
    result[level] ??= [];
    result[level].push(value);
  }
  return result.filter((level) => level !== undefined);
}

/** Threads that a reduction of columns should have at least, and rows that one of them should take at least. */
const [manyThreads, fewRows] = [1 << 16, 16];

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
  const scope = new Scope(pointers, new Set([...group.members.keys(), ...repeated]), { count: 0 });
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
  for (unsigned k = lane; k < ${pieces}u; k += WARP) sum = ${by}Of(sum, pieces[k * ${results}u + t]);
  ACROSS(${by}Of, sum)
  if (lane == 0) a0[t] = sum;
}`,
    values: [value, undefined],
    blocks: Math.ceil((results * 32) / threads),
  };
  return { kernels: [one, two], temporaryBytes: 4 * sizeOf([results, pieces]) };
}

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
