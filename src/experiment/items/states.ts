/**
 * How far items are, as their run folder says: results, noted rates, saved final runs, and locks. Looks into each folder
 * of a trial once, and only reads the files that are there: thousands of items on a shared file system.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { checkpointName } from '../../run-folder/leftovers.js';
import { type Holder, holderIn, isLockFile } from '../../run-folder/lock.js';
import { recordedResult, trainedStages } from '../../run-folder/result.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { groupBy } from '../../shared/groups.js';
import { gridRun, readGrid } from '../trial/grid.js';
import type { Item } from './item.js';

export interface ItemState {
  /** `ready`: nothing that it waits for is left. */
  readonly state: 'finished' | 'running' | 'failed' | 'ready' | 'waiting';
  /** Who runs it. */
  readonly holder?: Holder;
  /** Why it failed. */
  readonly error?: string;
}

/** Trials that are looked at at once: a server of files answers many requests in the time of one. */
const atOnce = 32;

/** The states of items, by id. `items` holds whole trials. */
export async function statesOf(runFolder: string, items: readonly Item[]): Promise<Map<string, ItemState>> {
  const states = new Map<string, ItemState>();
  const trials = [...groupBy(items, ({ trial }) => trial)];
  const look = async () => {
    for (let next = trials.shift(); next; next = trials.shift()) {
      const [name, ofTrial] = next;
      for (const [id, state] of await statesIn(trialFolderIn(runFolder, { name }), ofTrial)) states.set(id, state);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, look));
  return states;
}

async function statesIn(trialFolder: string, items: readonly Item[]): Promise<Map<string, ItemState>> {
  const names = new Set(await readdir(trialFolder).catch(() => []));
  const result = names.has('result.json') ? await recordedResult(trialFolder) : undefined;
  const states = new Map<string, ItemState>();
  if (result?.status === 'finished') {
    for (const { id } of items) states.set(id, { state: 'finished' });
    return states;
  }
  const isLocked = [...names].some(isLockFile);
  const holder = isLocked ? await holderIn(trialFolder) : undefined;
  const noted = names.has('grid.jsonl') ? await readGrid(trialFolder) : [];
  // The checkpoint of a final run stays until the trial is finished.
  const isBegun = items.some((item) => item.does === 'training' && names.has(checkpointName(item.stage)));
  const trained = isBegun ? await trainedStages(trialFolder) : [];
  let own = holder; // what the holder of the trial is at: the first of its items that is not done and waits for none
  for (const item of items) {
    const isReady = item.waitsFor.every((id) => states.get(id)?.state === 'finished');
    if (item.does === 'rate') {
      const run = gridRun(item.stage, item.rate);
      const isNoted = noted.some(({ stage, base_rate }) => stage === item.stage && base_rate === item.rate);
      const elsewhere =
        !isNoted && names.has(run) ? await rateState(path.join(trialFolder, run), item.rate) : undefined;
      states.set(item.id, isNoted ? { state: 'finished' } : (elsewhere ?? { state: isReady ? 'ready' : 'waiting' }));
    } else if (item.does === 'training' && trained.includes(item.stage)) {
      states.set(item.id, { state: 'finished' });
    } else if (isReady && own) {
      states.set(item.id, { state: 'running', holder: own });
      own = undefined;
    } else if (item.does === 'evaluation' && result?.status === 'failed') {
      states.set(item.id, { state: 'failed', ...(result.error !== undefined && { error: result.error }) });
    } else states.set(item.id, { state: isReady ? 'ready' : 'waiting' });
  }
  return states;
}

/** Undefined where nobody is at it. */
async function rateState(folder: string, rate: number): Promise<ItemState | undefined> {
  if ((await readGrid(folder)).some(({ base_rate }) => base_rate === rate)) return { state: 'finished' };
  const holder = await holderIn(folder);
  return holder && { state: 'running', holder };
}
