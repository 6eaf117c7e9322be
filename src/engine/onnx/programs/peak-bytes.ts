/** How much memory a run of a program needs at once, told from the program. */
import type { GraphParts } from '../model-proto.js';

/** Operators that give a view of their first input. */
const views = new Set(['Reshape', 'Identity']);

/**
 * Bytes of what is computed and still needed, at the worst moment: nodes run in their order, and a value is freed after
 * its last reader. Inputs and constants are not counted.
 * @param sizes bytes of each value that a node computes
 */
export function peakBytes({ nodes, outputs }: GraphParts, sizes: ReadonlyMap<string, number>): number {
  const owners = new Map<string, string>();
  const ownerOf = (name: string) => owners.get(name) ?? name;
  const lastReader = new Map<string, number>();
  for (const [index, { operator, inputs, outputs: computed }] of nodes.entries()) {
    for (const name of inputs) lastReader.set(ownerOf(name), index);
    if (views.has(operator)) owners.set(computed[0]!, ownerOf(inputs[0]!));
    for (const name of computed) if (!lastReader.has(ownerOf(name))) lastReader.set(ownerOf(name), index);
  }
  for (const { name } of outputs) lastReader.set(ownerOf(name), nodes.length);
  const freed = new Map<number, string[]>();
  for (const [name, index] of lastReader) freed.set(index, [...(freed.get(index) ?? []), name]);
  let [live, peak] = [0, 0];
  for (const [index, { operator, outputs: computed }] of nodes.entries()) {
    if (!views.has(operator)) for (const name of computed) live += sizes.get(name) ?? 0;
    peak = Math.max(peak, live);
    for (const name of freed.get(index) ?? []) live -= sizes.get(name) ?? 0;
  }
  return peak;
}
