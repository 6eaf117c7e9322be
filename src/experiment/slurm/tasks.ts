/**
 * Which jobs a batch system gets. A task is one process; tasks that wait for the same ones, or for none, form an array. The
 * rates of all grids are one array; what is left of a trial comes after its own rates, whatever others do.
 */
import { chunks, distinct, groupBy } from '../../shared/groups.js';
import type { Item } from '../items/item.js';

/** What one process runs: `--only` each of these, one after the other. */
export interface Task {
  readonly only: readonly string[];
  /** Ids of the items that it brings about. */
  readonly items: readonly string[];
}

/** Tasks to be submitted together, as an array. */
export interface TaskGroup {
  readonly tasks: readonly Task[];
  /** Items of other tasks that have to be finished before. */
  readonly waitsFor: readonly string[];
}

/**
 * Groups in an order in which each comes after what it waits for.
 * @param isLeft whether an item is neither finished nor under way
 */
export function taskGroups(items: readonly Item[], isLeft: (id: string) => boolean): TaskGroup[] {
  const groups = new Map<string, { tasks: Task[]; waitsFor: readonly string[] }>();
  for (const chain of chainsOf(items)) {
    const left = chain.filter(({ id }) => isLeft(id)).map(({ id }) => id);
    if (left.length === 0) continue;
    const waitsFor = distinct(chain.flatMap((item) => item.waitsFor)).filter((id) => !chain.some((i) => i.id === id));
    const key = waitsFor.join(' ');
    const group = groups.get(key) ?? { tasks: [], waitsFor };
    const isEnd = chain.some(({ does }) => does === 'evaluation');
    group.tasks.push({ only: isEnd ? [chain[0]!.trial] : left, items: left });
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What one process runs: a rate, or the final runs and the evaluation that follow each other with no grid between them. */
function chainsOf(items: readonly Item[]): Item[][] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const levels = new Map<string, number>();
  for (const item of items) {
    const after = item.waitsFor.map((id) => {
      const isSameChain = item.does !== 'rate' && byId.get(id)!.does !== 'rate';
      return levels.get(id)! + (isSameChain ? 0 : 1);
    });
    levels.set(item.id, Math.max(0, ...after));
  }
  const keyOf = ({ id, trial, does }: Item) => (does === 'rate' ? id : `${trial} ${levels.get(id)}`);
  return [...groupBy(items, keyOf).values()];
}

/** Splits an array that is larger than the batch system allows. @param most tasks of one array */
export function splitArrays(group: TaskGroup, most: number): TaskGroup[] {
  return chunks(group.tasks, most).map((tasks) => ({ ...group, tasks }));
}
