/** `--only` of nothing that can be run now, told before a run folder is written that would then list trials without a step. */
import { RequestError } from '../../shared/errors.js';
import type { Item } from './item.js';
import { describeOutcome, leftBefore } from './run-items.js';
import { statesOf } from './states.js';

export const runThoseFirst = 'Run those first, or add --wait.';

/**
 * @param ids of items, or names of trials
 * @throws RequestError where every one waits for others, so that none of them would end that wait
 */
export async function refuseWaiting(runFolder: string, items: readonly Item[], ids: readonly string[]): Promise<void> {
  const named = items.filter(({ id, trial }) => ids.includes(id) || ids.includes(trial));
  const trials = new Set(named.map(({ trial }) => trial));
  const states = await statesOf(
    runFolder,
    items.filter(({ trial }) => trials.has(trial)),
  );
  const waits = ids.map((id) => {
    const item = items.find((other) => other.id === id);
    const isDone = states.get(id)?.state === 'finished';
    return { id, waitsFor: isDone ? [] : leftBefore(item, states) };
  });
  if (waits.some(({ waitsFor }) => waitsFor.length === 0)) return;
  const sentences = waits.map(({ id, waitsFor }) => describeOutcome(id, { state: 'waiting', waitsFor }));
  throw new RequestError(sentences.join('\n'), runThoseFirst);
}
