/** Waiting for the card without blocking the JavaScript thread. */
import { setTimeout as later, setImmediate as nextTurn } from 'node:timers/promises';

/** A step takes less: asking in every turn of the event loop loses no time, while a timer loses up to a millisecond. */
const eagerMilliseconds = 100;

/** @param isDone asks the card; called in the JavaScript thread alone, since CUDA's context belongs to a thread */
export async function whenDone(isDone: () => boolean): Promise<void> {
  const start = performance.now();
  while (!isDone()) {
    if (performance.now() - start < eagerMilliseconds) await nextTurn();
    else await later(1);
  }
}
