/**
 * Which values become one kernel. Each value joins the kernel of those that read it, from the last to the first, as long as
 * it is computed at the same places and no other value stands between them: a chain of maps is one pass over memory, a norm
 * with all that goes before and after it too. What is read at other places is written to memory.
 */
import { inputsOf, sizeOf, type Value } from './value.js';
import { affine, isWhole } from './views.js';

/** In a loop over rows, a value has an element at each place or one for each row. */
export type Role = 'element' | 'row';

export class Group {
  readonly members = new Map<Value, Role>();
  /** Of which this one reads what they write. */
  readonly needs = new Set<Group>();
  /** Elements of a row; undefined: rows do not matter. */
  width: number | undefined;
  /** What this group was merged into. */
  into: Group | undefined;
  private first = Number.POSITIVE_INFINITY;
  private last = -1;

  /** @param isLoop whether others may join: loops, and columns, which are loops that reduce */
  constructor(
    readonly kind: 'loop' | 'columns' | 'alone',
    public elements: number,
  ) {}

  add(value: Value, role: Role): void {
    this.members.set(value, role);
    this.first = Math.min(this.first, value.id);
    this.last = Math.max(this.last, value.id);
  }

  /** Whether it needs, by way of others, what `other` writes. */
  dependsOn(other: Group): boolean {
    const seen = new Set<Group>();
    const visit = (group: Group): boolean => {
      for (const raw of group.needs) {
        const need = whole(raw);
        if (need === other) return true;
        if (seen.has(need) || need.last < other.first) continue;
        seen.add(need);
        if (visit(need)) return true;
      }
      return false;
    };
    return visit(this);
  }

  /** Takes over what another loop over the same elements computes. */
  absorb(other: Group): void {
    for (const [value, role] of other.members) this.add(value, role);
    for (const need of other.needs) this.needs.add(need);
    this.width ??= other.width;
    other.into = this;
  }
}

function whole(group: Group): Group {
  return group.into ? whole(group.into) : group;
}

interface Use {
  readonly reader: Value;
  /** At which of the reader's places: at the same, at that of its row, anywhere, or anywhere if at all. */
  readonly at: 'element' | 'row' | 'anywhere' | 'perhaps';
}

const inlined: readonly string[] = ['view', 'concat', 'pad', 'gather'];
const isInlined = ({ made }: Value) => inlined.includes(made.kind);
const isLoop = ({ kind }: Group) => kind === 'loop';
const isComputed = ({ made }: Value) =>
  !['input', 'constant', 'number'].includes(made.kind) && !inlined.includes(made.kind);

/** Who reads each computed value, views in between. */
function usesOf(values: readonly Value[]): ReadonlyMap<Value, readonly Use[]> {
  const uses = new Map<Value, Use[]>();
  const note = (value: Value, use: Use): void => {
    if (isInlined(value)) {
      if (value.made.kind !== 'view') for (const input of inputsOf(value)) note(input, { ...use, at: 'perhaps' });
      else if (isWhole(value)) note(affine(value)!.base, use);
      else note(value.made.inputs[0], use.at === 'perhaps' ? use : { ...use, at: 'anywhere' });
    } else if (isComputed(value)) uses.set(value, [...(uses.get(value) ?? []), use]);
  };
  for (const reader of values) {
    if (isComputed(reader)) for (const input of inputsOf(reader)) note(input, { reader, at: placeOf(reader, input) });
  }
  return uses;
}

function placeOf(reader: Value, input: Value): Use['at'] {
  if (reader.made.kind === 'reduce' || reader.made.kind === 'columns') return 'element';
  if (reader.made.kind !== 'map') return 'anywhere';
  const [from, to] = [input.shape, reader.shape];
  if (sizeOf(from) === sizeOf(to)) return 'element';
  const isRow =
    from.length === to.length &&
    from.at(-1) === 1 &&
    from.every((extent, axis) => axis === to.length - 1 || extent === to[axis]);
  return isRow ? 'row' : 'anywhere';
}

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

/** A source is so much smaller than the map that it may be written for the map's sake. */
const small = 8;

/**
 * What it takes to compute a map anew wherever it is read: maps that are repeated, too, and little that must be written. It
 * calls no function, and beside less reads one value of its own size, which is written anyway. Undefined where that is not so.
 */
function repetitionOf(
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

function alone(value: Value): Group {
  const { kind } = value.made;
  const group =
    kind === 'map'
      ? new Group('loop', sizeOf(value.shape))
      : kind === 'reduce'
        ? new Group('loop', sizeOf(value.made.inputs[0].shape))
        : kind === 'columns'
          ? new Group('columns', sizeOf(value.made.inputs[0].shape))
          : new Group('alone', 0);
  if (value.made.kind === 'reduce') group.width = value.made.inputs[0].shape.at(-1)!;
  group.add(value, kind === 'reduce' ? 'row' : 'element');
  return group;
}

/** The group of readers that the value joins; merges those that it stands in together. */
function joined(
  value: Value,
  reading: readonly Use[],
  candidates: readonly Group[],
  readers: readonly Group[],
  groupOfReader: (use: Use) => Group,
): Group | undefined {
  if (value.made.kind !== 'map' && value.made.kind !== 'reduce') return undefined;
  let home: Group | undefined;
  for (const reader of candidates) {
    // A reduction of columns writes its result alone.
    if (reader.kind === 'columns' && readers.length > 1) continue;
    const fit = fitOf(
      value,
      reading.filter((use) => groupOfReader(use) === reader),
      reader,
    );
    if (!fit) continue;
    const others = readers.filter((other) => other !== reader && other !== home);
    if (!home) {
      if (others.some((other) => whole(reader).dependsOn(whole(other)))) continue;
      settle(value, reader, fit);
      home = reader;
    } else if (fit.role === home.members.get(value) && mergeable(home, reader, fit, others)) {
      settle(value, reader, fit);
      home.absorb(reader);
    }
  }
  return home;
}

function mergeable(home: Group, other: Group, fit: Fit, readers: readonly Group[]): boolean {
  if (home.kind !== 'loop' || other.kind !== 'loop' || home.elements !== other.elements || fit.converts) return false;
  const width = fit.width ?? other.width;
  if (home.width !== undefined && width !== undefined && home.width !== width) return false;
  if (home.members.size + other.members.size > 400) return false;
  if (home.dependsOn(other) || other.dependsOn(home)) return false;
  return !readers.some((reader) => other.dependsOn(whole(reader)) || home.dependsOn(whole(reader)));
}

interface Fit {
  readonly role: Role;
  readonly width: number | undefined;
  /** Whether what the group computes element by element becomes what it computes row by row. */
  readonly converts: boolean;
}

function fitOf(value: Value, reading: readonly Use[], group: Group): Fit | undefined {
  if (group.kind === 'alone') return undefined;
  let width = group.width;
  let role: Role | undefined;
  for (const { reader, at } of reading) {
    if (at === 'anywhere' || at === 'perhaps') return undefined;
    const roleOfReader = group.members.get(reader)!;
    let needed: Role = roleOfReader;
    if (reader.made.kind === 'reduce' || reader.made.kind === 'columns') needed = 'element';
    else if (at === 'row') {
      const across = reader.shape.at(-1)!;
      if (roleOfReader !== 'element' || group.kind !== 'loop' || (width ?? across) !== across) return undefined;
      width = across;
      needed = 'row';
    }
    if (role !== undefined && role !== needed) return undefined;
    role = needed;
  }
  if (role === undefined) return undefined;
  if (value.made.kind !== 'reduce') return { role, width, converts: false };
  const across = value.made.inputs[0].shape.at(-1)!;
  if (role === 'row') return width === across ? { role, width, converts: false } : undefined;
  const isFlat = group.kind === 'loop' && width === undefined && group.elements === sizeOf(value.shape);
  return isFlat ? { role: 'row', width: across, converts: true } : undefined;
}

function settle(value: Value, group: Group, { role, width, converts }: Fit): void {
  if (converts) {
    group.elements *= width!;
    for (const member of [...group.members.keys()]) group.members.set(member, 'row');
  }
  group.width = width;
  group.add(value, role);
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
