/** The C++ of one kernel. Equal text means the same kernel, whatever it is called for: blocks of a network share theirs. */
import type { Group } from '../loops/group.js';
import type { Reduction, Value } from '../loops/value.js';
import type { Computed } from './scope.js';

export interface KernelCode {
  /** Parameters and body. */
  readonly text: string;
  /** Values whose addresses it takes, in order; `undefined` is the temporary memory. */
  readonly values: readonly (Value | undefined)[];
  readonly blocks: number;
}

export const threads = 256;

const neutral: Readonly<Record<Reduction, { readonly float: string; readonly int: string }>> = {
  sum: { float: '0.0f', int: '0' },
  prod: { float: '1.0f', int: '1' },
  max: { float: '(-INFINITY)', int: '(-2147483647 - 1)' },
  min: { float: 'INFINITY', int: '2147483647' },
};

export const typeOf = ({ type }: Value) => (type === 'int32' ? 'int' : 'float');
export const startOf = (by: Reduction, value: Value) => neutral[by][typeOf(value)];

export function byOf({ made }: Value): Reduction {
  return made.kind === 'reduce' || made.kind === 'columns' ? made.by : 'sum';
}

/** Members of the group, and what every reader computes anew. */
export function computedBy({ members }: Group, repeated: ReadonlySet<Value>): Computed {
  return { has: (value) => members.has(value) || repeated.has(value) };
}
