/** Kernels of loops: over elements, or over rows where something is reduced along them. */
import type { Group } from '../loops/group.js';
import type { Grouped } from '../loops/groups.js';
import { inputsOf, type Reduction, type Value } from '../loops/value.js';
import { byOf, computedBy, type KernelCode, startOf, threads, typeOf } from './kernel.js';
import { type Computed, type Index, Pointers, Scope } from './scope.js';

/** Elements of one thread: reads of one wait for those of another. */
const perThread = 4;

/** Undefined where nobody reads what the group computes. */
export function loopKernel(group: Group, { written, repeated }: Grouped): KernelCode | undefined {
  const computes = computedBy(group, repeated);
  const reductions = [...group.members.keys()].filter(({ made }) => made.kind === 'reduce');
  const stored = [...group.members].filter(([value]) => written.has(value));
  if (stored.length === 0) return undefined;
  return reductions.length > 0
    ? rowKernel(group, group.width!, reductions, stored, computes)
    : flatKernel(group, stored, computes);
}

/** Elements of a row up to which its loops are written out: what one of them has read is then at hand in the next. */
const unrolledWidth = 1024;

/** Rows so few and so long that a block takes each, not a warp: a token of a language model is one. */
const [fewRows, longRow] = [256, 1024];

type Stored = readonly (readonly [Value, string])[];

function flatKernel(group: Group, stored: Stored, computes: Computed): KernelCode {
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

function storedAs({ type }: Value, element: string): string {
  return type === 'bfloat16' ? `narrowed(${element})` : element;
}

function store(scope: Scope, pointers: Pointers, value: Value, index: Index): void {
  const element = scope.element(value, index);
  const name = pointers.nameOf(value, true);
  scope.lines.push(`${name}[${scope.addressOf(value, index)}] = ${storedAs(value, element)};`);
}

/** What a row has in common, by the thread of its first element. */
function storeOnce(scope: Scope, pointers: Pointers, value: Value, width: number): void {
  const row = scope.named(`i / ${width}u`);
  const element = scope.element(value, { shape: value.shape, flat: row });
  scope.lines.push(`if (i % ${width}u == 0u) ${pointers.nameOf(value, true)}[${row}] = ${storedAs(value, element)};`);
}

function rowKernel(
  group: Group,
  width: number,
  reductions: readonly Value[],
  stored: Stored,
  computes: Computed,
): KernelCode {
  const rows = group.elements / width;
  const takesBlock = rows <= fewRows && width >= longRow;
  const [lanes, step] = takesBlock ? [threads, `${threads}u`] : [32, 'WARP'];
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
      `for (unsigned turn = 0; turn < (${width}u + ${step} - 1) / ${step}; turn++) {`,
      `  const unsigned c = turn * ${step} + lane;`,
      ...(width % lanes === 0 ? [] : [`  if (c >= ${width}u) break;`]),
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
      outer.lines.push(`ACROSS(${by}Of, ${name})`, ...(takesBlock ? acrossBlock(value, by, name) : []));
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
      ({ value, element }) => `${pointers.nameOf(value, true)}[r] = ${storedAs(value, element)};`,
    );
    outer.lines.push(`if (lane == 0) { ${lines.join(' ')} }`);
  }
  const place = takesBlock
    ? 'const unsigned lane = threadIdx.x, r = blockIdx.x;'
    : `const unsigned lane = threadIdx.x % WARP, r = (blockIdx.x * ${threads}u + threadIdx.x) / WARP;`;
  const body = `
  ${place}
  if (r >= ${rows}u) return;
  ${outer.lines.join('\n  ')}`;
  return {
    text: `(${pointers.declarations()}) {${body}\n}`,
    values: pointers.values,
    blocks: Math.ceil((rows * lanes) / threads),
  };
}

/** What the warps of a block have found, each in its turn. */
function acrossBlock(value: Value, by: Reduction, name: string): string[] {
  return [
    `__shared__ ${typeOf(value)} ${name}w[${threads / 32}];`,
    `if (lane % WARP == 0) ${name}w[lane / WARP] = ${name};`,
    '__syncthreads();',
    `${name} = ${name}w[0];`,
    `for (unsigned w = 1; w < ${threads / 32}u; w++) ${name} = ${by}Of(${name}, ${name}w[w]);`,
  ];
}

/** Reductions that can go in one pass, pass after pass: a later one needs what an earlier one found. */
function levelsOf(reductions: readonly Value[], group: Group): Value[][] {
  const levels = new Map<Value, number>();
  const levelOf = (value: Value): number => {
    if (!group.members.has(value) && value.made.kind !== 'view') return 0;
    const known = levels.get(value);
    if (known !== undefined) return known;
    const highest = Math.max(0, ...inputsOf(value).map(levelOf));
    const level = value.made.kind === 'reduce' ? highest + 1 : highest;
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
