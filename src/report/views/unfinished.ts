/** Data sets and methods that a run planned and none of whose trials has a result: tables mark them. */

import { seriesOf } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { groupBy } from '../../shared/groups.js';
import { methodLabel } from '../curves/labels.js';
import type { MarkKind } from '../render/table.js';

export interface Unfinished {
  readonly dataset: string;
  /** As tables name it. */
  readonly method: string;
  readonly mark: MarkKind;
}

export function unfinishedOf(trials: readonly TrialRecord[]): Unfinished[] {
  const known = trials.filter(({ identity }) => identity !== undefined);
  const groups = groupBy(known, ({ identity }) => JSON.stringify([identity!.dataset, seriesOf(identity!)]));
  return [...groups.values()]
    .filter((group) => group.every(({ result }) => result === undefined))
    .map((group) => {
      const identity = group[0]!.identity!;
      const method = methodLabel(seriesOf(identity));
      return { dataset: identity.dataset, method, mark: markOf(group.map(({ state }) => state)) };
    });
}

function markOf(states: readonly TrialRecord['state'][]): MarkKind {
  if (states.includes('running')) return 'running';
  return states.some((state) => state === 'failed' || state === 'unreadable') ? 'failed' : 'missing';
}
