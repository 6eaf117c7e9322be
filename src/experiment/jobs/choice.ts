/** What a free process of `--jobs` does next: trials, the longest first; where none is left, rates of those under way. */
import { groupBy } from '../../shared/groups.js';
import type { Item } from '../items/item.js';
import type { ItemState } from '../items/states.js';

/**
 * @param isTaken whether an item or trial is under way in another process of this command, was given up, or is held elsewhere
 * @returns the name of a trial, or the id of a rate; undefined: nothing can be done now
 */
export function nextWork(
  items: readonly Item[],
  states: ReadonlyMap<string, ItemState>,
  isTaken: (id: string) => boolean,
): string | undefined {
  const left = (of: readonly Item[]) =>
    of.reduce((sum, { id, steps = 0 }) => sum + (states.get(id)!.state === 'finished' ? 0 : steps), 0);
  const stateOf = ({ id }: Item) => states.get(id)!.state;
  const trials = [...groupBy(items, ({ trial }) => trial)].filter(([, of]) =>
    of.some((i) => stateOf(i) !== 'finished'),
  );
  const isFree = ([name, of]: readonly [string, readonly Item[]]) =>
    !isTaken(name) && !of.some((item) => item.does !== 'rate' && stateOf(item) === 'running');
  const longestFirst = trials.toSorted(([, a], [, b]) => left(b) - left(a));
  const whole = longestFirst.find(isFree);
  if (whole) return whole[0];
  // Whoever runs the trial goes through its rates from the first.
  const rates = longestFirst.flatMap(([, of]) => of.filter(({ does }) => does === 'rate').toReversed());
  return rates.find((item) => stateOf(item) === 'ready' && !isTaken(item.id))?.id;
}

/** Whether nobody holds an item, or a trial, any more, and it is not finished: whoever held it has gone. */
export function isLetGo(id: string, items: readonly Item[], states: ReadonlyMap<string, ItemState>): boolean {
  const ofId = items.filter((item) => item.id === id || item.trial === id).map((item) => states.get(item.id)!);
  return ofId.every(({ holder }) => holder === undefined) && ofId.some(({ state }) => state !== 'finished');
}
