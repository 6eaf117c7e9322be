/**
 * Which values become one kernel. Each value joins the kernel of those that read it, from the last to the first, as long as
 * it is computed at the same places and no other value stands between them: a chain of maps is one pass over memory, a norm
 * with all that goes before and after it too. What is read at other places is written to memory.
 */
import { type Group, whole } from './group.js';
import { alone, joined } from './joining.js';
import { repetitionOf } from './repetition.js';
import { isComputed, type Use, usesOf } from './uses.js';
import type { Value } from './value.js';

const isLoop = ({ kind }: Group) => kind === 'loop';

export interface Grouped {
  /** In an order in which they can run. */
  readonly groups: readonly Group[];
  /** Values that are written to memory. */
  readonly written: ReadonlySet<Value>;
  /** Maps that each reader computes anew: to read what they are made of costs no more than to read them. */
  readonly repeated: ReadonlySet<Value>;
}

/** @param outputs computed values that must be written @param values in the order of their definition, what is needed alone */
export function groupsOf(values: readonly Value[], outputs: ReadonlySet<Value>): Grouped {
  const uses = usesOf(values);
  const groupOf = new Map<Value, Group>();
  const groupOfReader = ({ reader }: Use) => whole(groupOf.get(reader)!);
  for (const value of values.toReversed()) {
    if (!isComputed(value)) continue;
    const reading = uses.get(value) ?? [];
    const readers = [...new Set(reading.map(groupOfReader))];
    const group =
      (outputs.has(value)
        ? joined(value, reading, readers.filter(isLoop), readers, groupOfReader)
        : joined(value, reading, readers, readers, groupOfReader)) ?? alone(value);
    groupOf.set(value, group);
    for (const reader of readers) if (whole(reader) !== whole(group)) whole(reader).needs.add(group);
  }
  const written = new Set(outputs);
  for (const [value, reading] of uses) {
    const own = whole(groupOf.get(value)!);
    if (own.kind === 'alone' || reading.some((use) => groupOfReader(use) !== own)) written.add(value);
    if (value.made.kind === 'columns') written.add(value);
  }
  const isAlone = ({ reader }: Use) => whole(groupOf.get(reader)!).kind === 'alone';
  const repeated = new Set<Value>();
  const isKept = (value: Value) => outputs.has(value) || value.pitch !== undefined;
  for (const value of values) {
    if (!written.has(value) || isKept(value)) continue;
    if (uses.get(value)!.some((use) => use.at === 'perhaps' || isAlone(use))) continue;
    const repetition = repetitionOf(value, written, repeated);
    for (const map of repetition?.maps ?? []) repeated.add(map);
    for (const source of repetition?.sources ?? []) written.add(source);
    if (repetition) written.delete(value);
  }
  return { groups: ordered([...new Set([...groupOf.values()].map(whole))]), written, repeated };
}

/** Needs first; of what could run, what was defined first: its inputs are in the cache of the card. */
function ordered(groups: readonly Group[]): Group[] {
  const place = new Map(groups.map((group) => [group, Math.max(...[...group.members.keys()].map(({ id }) => id))]));
  const done = new Set<Group>();
  const result: Group[] = [];
  const visit = (group: Group): void => {
    if (done.has(group)) return;
    done.add(group);
    const needs = [...group.needs].map(whole).sort((a, b) => place.get(a)! - place.get(b)!);
    for (const need of needs) visit(need);
    result.push(group);
  };
  for (const group of groups.toSorted((a, b) => place.get(a)! - place.get(b)!)) visit(group);
  return result;
}
