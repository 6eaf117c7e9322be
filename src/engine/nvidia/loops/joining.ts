/** Which group a value joins. */

import { sizeOf } from '../../../shared/arrays.js';
import { Group, type Role, whole } from './group.js';
import type { Use } from './uses.js';
import { isMadeAgain, type Value } from './value.js';

export function alone(value: Value): Group {
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
export function joined(
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
  if (home.members.size + other.members.size > 400 || makesAgain(home) !== makesAgain(other)) return false;
  if (home.dependsOn(other) || other.dependsOn(home)) return false;
  return !readers.some((reader) => other.dependsOn(whole(reader)) || home.dependsOn(whole(reader)));
}

/** Whether it is for the sake of memory that a group stands apart from one that computes the same. */
const makesAgain = ({ members }: Group) => [...members.keys()].some(isMadeAgain);

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
