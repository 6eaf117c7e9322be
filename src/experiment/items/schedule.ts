/**
 * How long items take on so many workers, simulated: whoever is free takes, of what waits for nothing, the item with the
 * longest way to the end of its trial (list scheduling by critical path; Graham 1969).
 */
import TinyQueue from 'tinyqueue';
import { sum } from '../../shared/groups.js';

export interface Work {
  readonly id: string;
  readonly waitsFor: readonly string[];
  readonly seconds: number;
}

export interface Schedule {
  /** Until the last item is done. */
  readonly makespan: number;
  /** Of all workers together, starts included. */
  readonly busySeconds: number;
}

export interface ScheduleOptions {
  readonly workers: number;
  /** Seconds until a job computes: the process, images, stitching layers. */
  readonly startSeconds: number;
}

/** @param work each after what it waits for; what it waits for and is not in it is done */
export function simulate(work: readonly Work[], { workers, startSeconds }: ScheduleOptions): Schedule {
  const index = new Map(work.map(({ id }, at) => [id, at]));
  const after: number[][] = work.map(() => []);
  const open = work.map(({ waitsFor }, at) => {
    const before = waitsFor.flatMap((id) => index.get(id) ?? []);
    for (const other of before) after[other]!.push(at);
    return before.length;
  });
  const taken = work.map(({ seconds }) => seconds + startSeconds);
  const way = [...taken];
  for (let at = work.length - 1; at >= 0; at--) way[at]! += Math.max(0, ...after[at]!.map((next) => way[next]!));
  const ready = new TinyQueue<number>([], (a, b) => way[b]! - way[a]! || a - b);
  const running = new TinyQueue<{ readonly at: number; readonly end: number }>([], (a, b) => a.end - b.end);
  open.forEach((count, at) => void (count === 0 && ready.push(at)));
  let now = 0;
  for (;;) {
    while (running.length < workers && ready.length > 0) {
      const at = ready.pop()!;
      running.push({ at, end: now + taken[at]! });
    }
    const next = running.pop();
    if (!next) break;
    now = next.end;
    for (const other of after[next.at]!) if (--open[other]! === 0) ready.push(other);
  }
  return { makespan: now, busySeconds: sum(taken) };
}

/** 1, 2, 5, 10, 20, ... up to `most`, which is in it. */
export function workerCounts(most: number): number[] {
  const steps = [1, 2, 5].flatMap((step) => [1, 10, 100, 1000].map((scale) => step * scale));
  return [...steps.filter((count) => count < most), most].sort((a, b) => a - b);
}
