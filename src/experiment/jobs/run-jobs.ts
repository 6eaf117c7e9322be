/**
 * `esta run --jobs N`: processes on one machine that work on one run folder. What is left is read from the folder whenever
 * one is free; locks keep them, and other commands, from doing the same thing.
 */
import { setTimeout } from 'node:timers/promises';
import { Interrupted } from '../../shared/errors.js';
import type { Item } from '../items/item.js';
import { describeOutcome } from '../items/run-items.js';
import { statesOf } from '../items/states.js';
import { isLetGo, nextWork } from './choice.js';
import type { JobsDisplay } from './display.js';
import { type Ended, type Job, startJob } from './job.js';
import type { Assignment } from './messages.js';
import type { Place } from './places.js';

/** A process that was killed from outside, for its memory perhaps, is started again so often for the same work. */
const attempts = 3;

/** Milliseconds after which it is tried again what another command held, and holds no more. */
const secondLook = 2000;

export interface JobsRequest {
  readonly assignment: Omit<Assignment, 'threads'>;
  readonly items: readonly Item[];
  /** One for each process. */
  readonly places: readonly Place[];
  readonly display: JobsDisplay;
  readonly signal: AbortSignal;
}

export interface JobsEnd {
  /** Trials that failed, and why. */
  readonly failed: ReadonlyMap<string, string>;
  /** What other commands are at: sentences. */
  readonly held: readonly string[];
  /** Whether a process of this command was at anything. */
  readonly hasWorked: boolean;
}

/** @throws RequestError where the request is wrong, Interrupted once all processes have saved and stopped */
export async function runJobs({ assignment, items, places, display, signal }: JobsRequest): Promise<JobsEnd> {
  const { runFolder } = assignment;
  const taken = new Set<string>();
  const failed = new Map<string, string>();
  /** When it was found to be held by another command. */
  const held = new Map<string, number>();
  const deaths = new Map<string, number>();
  let hasWorked = false;
  const names = [...new Set(items.map(({ trial }) => trial))];
  const trialOf = (id: string) => items.find((item) => item.id === id)?.trial ?? id;
  let busy = 0;
  /** The next work; where there is none, whether some that was held will be tried again. */
  const choose = async (): Promise<{ readonly id: string | undefined; readonly comesBack: boolean }> => {
    const states = await statesOf(runFolder, items);
    const isDone = (name: string) => states.get(`${name}/evaluation`)?.state === 'finished';
    display.trials(names.filter(isDone).length, names.length);
    const letGo = [...held.keys()].filter((id) => isLetGo(id, items, states));
    for (const id of letGo) if (performance.now() - held.get(id)! > secondLook) held.delete(id);
    const id = nextWork(items, states, (id) => taken.has(id) || held.has(id) || failed.has(trialOf(id)));
    return { id, comesBack: letGo.length > 0 };
  };
  const note = (id: string, ended: Ended) => {
    hasWorked ||= ended.state !== 'held';
    if (ended.state === 'failed') {
      display.line(describeOutcome(id, ended));
      failed.set(trialOf(id), ended.error);
    } else if (ended.state === 'held') {
      held.set(id, performance.now());
    } else if (ended.state === 'died') {
      const count = (deaths.get(id) ?? 0) + 1;
      deaths.set(id, count);
      const end = `its process ended ${count > 1 ? `${count} times ` : ''}(${ended.reason})`;
      if (count < attempts) display.line(`${id}: ${end}; it goes on from its last checkpoint`);
      else {
        display.line(`${id} failed: ${end}\n${adviceOn(ended.reason)}`);
        failed.set(trialOf(id), end);
      }
    } else if (ended.state === 'finished' && names.includes(id)) display.line(`${id}: finished`);
  };
  const work = async (place: Place, index: number): Promise<void> => {
    const listener = { line: display.line, progress: (at: Parameters<JobsDisplay['at']>[1]) => display.at(index, at) };
    let job: Job | undefined;
    const stop = () => job?.askToStop();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        const { id, comesBack } = await choose();
        if (id === undefined || taken.has(id)) {
          if (busy === 0 && id === undefined && !comesBack) break;
          await setTimeout(500, undefined, { signal }).catch(() => {});
          continue;
        }
        taken.add(id);
        busy++;
        try {
          job ??= await startJob(place, assignment, listener);
          const ended = signal.aborted ? ({ state: 'stopped' } as const) : await job.run(id);
          note(id, ended);
          if (ended.state === 'died') job = undefined;
        } finally {
          busy--;
          taken.delete(id);
          display.at(index, undefined);
        }
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await job?.end();
    }
  };
  try {
    await allSettled(places.map(work));
  } finally {
    display.stop();
  }
  if (signal.aborted) throw new Interrupted('stopped; everything is saved');
  const states = await statesOf(runFolder, items);
  const heldElsewhere = (name: string) => {
    const ofTrial = items.filter(({ trial }) => trial === name).map(({ id }) => states.get(id)!);
    if (failed.has(name) || ofTrial.every(({ state }) => state === 'finished')) return [];
    // Most are seen to be at work and never tried here.
    const heldBy = ofTrial.find(({ holder }) => holder)?.holder;
    return heldBy || held.has(name) ? [describeOutcome(name, { state: 'held', heldBy })] : [];
  };
  return { failed, hasWorked, held: names.flatMap(heldElsewhere) };
}

/** What may help once a process has ended so often. */
function adviceOn(reason: string): string {
  const again = 'The same command goes on from the last checkpoint.';
  // What Linux, Slurm and Kubernetes do to a process where memory runs out.
  return reason === 'SIGKILL' ? `Memory may have run out: give a smaller --jobs. ${again}` : again;
}

/** Waits for all, then throws what the first has thrown. */
async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(work);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
