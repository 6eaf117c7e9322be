/** Values that one kernel computes, and what it needs from others. */
import type { Value } from './value.js';

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

export function whole(group: Group): Group {
  return group.into ? whole(group.into) : group;
}
