/** Where values lie in the memory that all programs share, so that what does not live at the same time lies at the same place. */

/** What is needed from one launch to another, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/** Addresses in steps that every access and matrix product likes. */
const step = 256;

export interface Layout<Key> {
  readonly offsets: ReadonlyMap<Key, number>;
  readonly bytes: number;
}

/** The largest first, each at the lowest place that is free while it lives. */
export function layOut<Key>(lifetimes: ReadonlyMap<Key, Lifetime>): Layout<Key> {
  const placed: { readonly start: number; readonly end: number; readonly life: Lifetime }[] = [];
  const offsets = new Map<Key, number>();
  let bytes = 0;
  for (const [key, life] of [...lifetimes].sort(([, a], [, b]) => b.bytes - a.bytes)) {
    const size = Math.max(step, Math.ceil(life.bytes / step) * step);
    let start = 0;
    for (const other of placed) {
      if (other.life.to < life.from || other.life.from > life.to) continue;
      if (other.start >= start + size) break;
      start = Math.max(start, other.end);
    }
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, { start, end: start + size, life });
    offsets.set(key, start);
    bytes = Math.max(bytes, start + size);
  }
  return { offsets, bytes };
}
