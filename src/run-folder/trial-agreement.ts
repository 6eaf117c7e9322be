/** Trials that are put into one mean must have done the same thing: says where they have not. */

import { groupBy } from '../shared/groups.js';
import { seriesOf } from './result.js';
import type { TrialRecord } from './trial-record.js';

/**
 * One sentence for each disagreement between the trials of a run: another configuration fingerprint, and, for the
 * same data set and method, another number of epochs or other FLOPs of the same stitch (other anchors or ranks).
 */
export function disagreements(trials: readonly TrialRecord[]): string[] {
  const found: string[] = [];
  const configured = trials.filter(({ configuration }) => configuration !== undefined);
  // Fingerprints of version 0.2.0 and before are of the whole file: they cannot be compared with those of today.
  const versions = [...groupBy(configured, ({ configuration }) => configuration!.startsWith('2:')).values()];
  const others = versions.flatMap((members) => {
    const usual = mostFrequent(members.map(({ configuration }) => configuration));
    return members.filter(({ configuration }) => configuration !== usual);
  });
  if (others.length > 0) {
    found.push(`${names(others)} ran with another configuration than the other trials; do not average them`);
  }
  const finished = trials.filter(({ result }) => result);
  const same = groupBy(finished, ({ result }) =>
    JSON.stringify([result!.dataset, seriesOf(result!), result!.seed, result!.learningRate]),
  );
  for (const copies of [...same.values()].filter(({ length }) => length > 1)) {
    found.push(`${names(copies)} are of one data set, method and seed: copies, which are shown apart and not averaged`);
  }
  const groups = groupBy(finished, ({ result }) => `${seriesOf(result!)} on ${result!.dataset}`);
  for (const [group, members] of groups) {
    const epochs = new Set(members.map(({ result }) => result!.epochs));
    if (epochs.size > 1) found.push(`${group}: trials differ in epochs (${[...epochs].join(', ')})`);
    const stitch = firstDifferentCost(members);
    if (stitch !== undefined) {
      found.push(`${group}: stitch ${stitch} has other FLOPs in other trials, so their stitch spaces differ`);
    }
  }
  return found;
}

function firstDifferentCost(trials: readonly TrialRecord[]): number | undefined {
  const flopsOf = new Map<number, number>();
  for (const { result } of trials) {
    for (const { id, flops } of result!.stitches) {
      if (flopsOf.has(id) && flopsOf.get(id) !== flops) return id;
      flopsOf.set(id, flops);
    }
  }
  return undefined;
}

function mostFrequent<T>(values: readonly T[]): T | undefined {
  const groups = [...groupBy(values, (value) => value).values()];
  return groups.sort((a, b) => b.length - a.length)[0]?.[0];
}

function names(trials: readonly TrialRecord[]): string {
  return trials.map(({ name }) => name).join(', ');
}
