/** Data sets and methods that a run planned and none of whose trials has a result: tables mark them. */

import { seriesOf } from '../../run-folder/result.js';
import { groupBy } from '../../shared/groups.js';
import type { NamedTrial } from '../curves/method-names.js';
import type { MarkKind } from '../render/table.js';

export interface Unfinished {
  readonly dataset: string;
  /** As tables name it. */
  readonly method: string;
  readonly mark: MarkKind;
}

export function unfinishedOf(trials: readonly NamedTrial[]): Unfinished[] {
  const known = trials.filter(({ identity }) => identity !== undefined);
  // What has no result is told apart by its run alone: then each run lacks it on its own.
  const areApart = known.some(({ result, apart }) => result === undefined && apart !== '');
  const groups = groupBy(known, ({ identity, run }) =>
    JSON.stringify([identity!.dataset, seriesOf(identity!), ...(areApart ? [run] : [])]),
  );
  return [...groups.values()]
    .filter((group) => group.every(({ result }) => result === undefined))
    .map((group) => {
      const { identity, method } = group[0]!;
      return { dataset: identity!.dataset, method, mark: markOf(group.map(({ state }) => state)) };
    });
}

function markOf(states: readonly NamedTrial['state'][]): MarkKind {
  if (states.includes('running')) return 'running';
  return states.some((state) => state === 'failed' || state === 'unreadable') ? 'failed' : 'missing';
}
