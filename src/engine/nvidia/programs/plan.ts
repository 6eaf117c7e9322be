/** A program for the card: its launches in order, and where each value lies. */

import { sizeOf } from '../../../shared/arrays.js';
import { columnKernels } from '../code/column-kernels.js';
import { type KernelCode, threads } from '../code/kernel.js';
import { cachedAttentionKernel } from '../code/language/cached-attention.js';
import { codedProductKernel } from '../code/language/coded-product.js';
import { decodedMatrixKernel } from '../code/language/decoded-matrix.js';
import { keptRowsKernel } from '../code/language/kept-rows.js';
import { loopKernel } from '../code/loop-kernel.js';
import { scatterKernel } from '../code/scatter-kernel.js';
import type { Converted } from '../loops/convert.js';
import type { Group } from '../loops/group.js';
import { type Grouped, groupsOf } from '../loops/groups.js';
import { bytesPerElement, inputsOf, type Value } from '../loops/value.js';
import { affine, type Matrix, matrixOf, stridesOf } from '../loops/views.js';
import { type Layout, type Lifetime, layOut } from './memory.js';

/** Where something lies: at an offset in bytes in the shared memory, in the constants of the program, or in an input that stays where it is. */
export interface Location {
  readonly in: 'arena' | 'constants' | { readonly input: string };
  readonly offset: number;
}

export interface KernelLaunch {
  readonly kind: 'kernel';
  readonly code: KernelCode;
  readonly locations: readonly Location[];
}

export interface FactorLocation {
  readonly location: Location;
  readonly type: 'float32' | 'bfloat16';
  readonly matrix: Matrix;
}

export interface ProductLaunch {
  readonly kind: 'product';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly alpha: number;
  readonly a: FactorLocation;
  readonly b: FactorLocation;
  readonly c: FactorLocation;
}

export type Launch = KernelLaunch | ProductLaunch;

export interface Plan {
  readonly launches: readonly Launch[];
  /** What is copied in before the launches; inputs that stay where they are, and those that nobody reads, are not among them. */
  readonly inputs: readonly { readonly name: string; readonly location: Location; readonly bytes: number }[];
  /** What stays where it is and is read: under its own name, or in bfloat16 under another. */
  readonly lasting: readonly { readonly name: string; readonly input: string; readonly isNarrow: boolean }[];
  readonly outputs: readonly {
    readonly name: string;
    readonly value: Value;
    readonly location: Location;
    readonly bytes: number;
  }[];
  readonly constants: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly constantBytes: number;
  readonly arenaBytes: number;
}

const bytesOf = (value: Value) => {
  const elements =
    value.pitch === undefined ? sizeOf(value.shape) : (sizeOf(value.shape) / value.shape.at(-1)!) * value.pitch;
  return elements * bytesPerElement[value.type];
};

/** @param fixed names of the inputs that stay where they are */
export function planOf({ values, outputs }: Converted, fixed: ReadonlySet<string>): Plan {
  const needed = neededBy([...outputs.values()], values.all);
  const results = new Set([...outputs.values()].map((value) => affine(value)!.base));
  const grouped = groupsOf(needed, results);
  const steps = grouped.groups.flatMap((group) => stepsOf(group, grouped));
  const memory = memoryOf(needed, steps, results, fixed);
  const launches = steps.map((step): Launch => {
    if ('product' in step) return productLaunch(step.product, memory.locate);
    const { code, temporary } = step;
    const locations = code.values.map((value) => (value ? memory.locate(value) : memory.locateTemporary(temporary!)));
    return { kind: 'kernel', code, locations };
  });
  return {
    launches,
    inputs: needed.flatMap((value) => {
      const isCopied = value.made.kind === 'input' && memory.locate(value).in === 'arena';
      return isCopied ? [{ name: nameOf(value), location: memory.locate(value), bytes: bytesOf(value) }] : [];
    }),
    lasting: needed.flatMap((value) => {
      if (value.made.kind !== 'input' || memory.locate(value).in === 'arena') return [];
      return [{ name: nameOf(value), input: value.made.name, isNarrow: value.made.isNarrow ?? false }];
    }),
    outputs: [...outputs].map(([name, value]) => {
      const { base, offset } = affine(value)!;
      const { in: where, offset: start } = memory.locate(base);
      const bytes = sizeOf(value.shape) * bytesPerElement[value.type];
      return { name, value, location: { in: where, offset: start + offset * bytesPerElement[base.type] }, bytes };
    }),
    constants: memory.constants,
    constantBytes: memory.constantBytes,
    arenaBytes: memory.arenaBytes,
  };
}

const nameOf = ({ made }: Value) => (made.kind === 'input' ? `${made.name}${made.isNarrow ? ' in 16 bits' : ''}` : '');

function neededBy(outputs: readonly Value[], all: readonly Value[]): Value[] {
  const needed = new Set(outputs);
  for (const value of all.toReversed()) if (needed.has(value)) for (const input of inputsOf(value)) needed.add(input);
  return all.filter((value) => needed.has(value));
}

/** Memory that steps after one another share. */
interface Temporary {
  readonly bytes: number;
}

type Step = { readonly code: KernelCode; readonly temporary?: Temporary } | { readonly product: Value };

function stepsOf(group: Group, grouped: Grouped): Step[] {
  const [value] = [...group.members.keys()] as [Value];
  if (group.kind === 'loop') {
    const code = loopKernel(group, grouped);
    return code ? [{ code }] : [];
  }
  if (group.kind === 'columns') {
    const { kernels, temporaryBytes } = columnKernels(group, grouped);
    const shared = temporaryBytes > 0 ? { temporary: { bytes: temporaryBytes } } : {};
    return kernels.map((code) => ({ code, ...shared }));
  }
  if (value.made.kind === 'product') return [{ product: value }];
  if (value.made.kind === 'scatter') {
    const zeros = { text: zerosOf(value), values: [value], blocks: Math.ceil(sizeOf(value.shape) / threads) };
    return [zeros, scatterKernel(value)].map((code) => ({ code }));
  }
  if (value.made.kind === 'coded') return [{ code: codedProductKernel(value) }];
  if (value.made.kind === 'decoded') return [{ code: decodedMatrixKernel(value) }];
  if (value.made.kind === 'kept') return [{ code: keptRowsKernel(value) }];
  if (value.made.kind === 'attended') return [{ code: cachedAttentionKernel(value) }];
  if (value.made.kind === 'packed') return []; // its parts are written where it lies
  throw new Error(`${value.made.kind} has no kernel`);
}

function zerosOf({ shape }: Value): string {
  return `(float* __restrict__ a0) {
  const unsigned i = blockIdx.x * ${threads}u + threadIdx.x;
  if (i < ${sizeOf(shape)}u) a0[i] = 0.0f;
}`;
}

/** Values that a step reads or writes. */
function touchedBy(step: Step): Value[] {
  if ('code' in step) return step.code.values.filter((value) => value !== undefined);
  return [step.product, ...inputsOf(step.product).map((input) => affine(input)!.base)];
}

function memoryOf(
  needed: readonly Value[],
  steps: readonly Step[],
  results: ReadonlySet<Value>,
  fixed: ReadonlySet<string>,
) {
  // Parts lie in what they are packed into, and that may be a part itself.
  const holders = new Map<Value, { readonly into: Value; readonly offset: number }>();
  for (const value of needed) {
    if (value.made.kind !== 'packed') continue;
    let offset = 0;
    for (const part of value.made.inputs) {
      holders.set(part, { into: value, offset });
      offset += bytesOf(part);
    }
  }
  const owner = (value: Value): { readonly value: Value; readonly offset: number } => {
    const holder = holders.get(value);
    if (!holder) return { value, offset: 0 };
    const above = owner(holder.into);
    return { value: above.value, offset: above.offset + holder.offset };
  };
  const lifetimes = new Map<Value | Temporary, Lifetime>();
  const extend = (key: Value | Temporary, bytes: number, at: number) => {
    const { from = at, to = at } = lifetimes.get(key) ?? {};
    lifetimes.set(key, { bytes, from: Math.min(from, at), to: Math.max(to, at) });
  };
  const live = (value: Value, at: number) => {
    const { value: whole } = owner(value);
    extend(whole, bytesOf(whole), at);
  };
  const isFixed = ({ made }: Value) => made.kind === 'input' && made.copy === undefined && fixed.has(made.name);
  const isElsewhere = (value: Value): boolean =>
    value.made.kind === 'kept' ? isElsewhere(value.made.inputs[0]) : value.made.kind === 'constant' || isFixed(value);
  for (const [at, step] of steps.entries()) {
    for (const value of touchedBy(step)) if (!isElsewhere(value)) live(value, at);
    if ('code' in step && step.temporary) extend(step.temporary, step.temporary.bytes, at);
  }
  for (const value of needed) if (value.made.kind === 'input' && !isElsewhere(value)) live(value, -1);
  for (const value of results) live(value, steps.length);
  const layout: Layout<Value | Temporary> = layOut(lifetimes);
  const constants: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  const constantOffsets = new Map<Value, number>();
  let constantBytes = 0;
  for (const value of needed) {
    if (value.made.kind !== 'constant') continue;
    constants.push({ offset: constantBytes, bytes: value.made.bytes });
    constantOffsets.set(value, constantBytes);
    constantBytes += Math.ceil(value.made.bytes.length / 256) * 256;
  }
  const locate = (value: Value): Location => {
    if (value.made.kind === 'constant') return { in: 'constants', offset: constantOffsets.get(value)! };
    if (value.made.kind === 'kept') return locate(value.made.inputs[0]);
    if (isFixed(value)) return { in: { input: nameOf(value) }, offset: 0 };
    const { value: whole, offset } = owner(value);
    return { in: 'arena', offset: layout.offsets.get(whole)! + offset };
  };
  const locateTemporary = (temporary: Temporary): Location => ({ in: 'arena', offset: layout.offsets.get(temporary)! });
  return { locate, locateTemporary, constants, constantBytes, arenaBytes: layout.bytes };
}

function productLaunch(value: Value, locate: (value: Value) => Location): ProductLaunch {
  if (value.made.kind !== 'product') throw new Error(`${value.made.kind} is no product`);
  const { alpha, order, inputs } = value.made;
  const [a, b] = inputs.map((factor) => {
    const { base, offset, strides } = affine(factor)!;
    const { in: where, offset: start } = locate(base);
    const location = { in: where, offset: start + offset * bytesPerElement[base.type] };
    return { location, type: base.type as 'float32', matrix: matrixOf(factor.shape, strides)! };
  }) as [FactorLocation, FactorLocation];
  const strides = stridesOf(value);
  const axes = order.map((_, axis) => order.indexOf(axis));
  const shape = axes.map((at) => value.shape[at]!);
  const matrix = matrixOf(
    shape,
    axes.map((at) => strides[at]!),
  )!;
  const c = { location: locate(value), type: value.type as 'float32', matrix };
  const [m, n, k] = [shape.at(-2)!, shape.at(-1)!, inputs[0].shape.at(-1)!];
  if (!matrix.transposed) return { kind: 'product', m, n, k, alpha, a, b, c };
  // Written as columns: the transpose of the product is that of the transposed factors, exchanged.
  const turned = (factor: FactorLocation) => ({
    ...factor,
    matrix: { ...factor.matrix, transposed: !factor.matrix.transposed },
  });
  return { kind: 'product', m: n, n: m, k, alpha, a: turned(b), b: turned(a), c: turned(c) };
}
