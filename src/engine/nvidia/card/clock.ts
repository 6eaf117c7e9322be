/** The card's own clock: when it comes to a place in its queue. */
import { type Driver, made } from './driver.js';

/** A place in the queue. */
export type Mark = number;

export class Clock {
  readonly #events: number[] = [];
  readonly #unused: number[] = [];

  constructor(
    readonly driver: Driver,
    readonly stream: number,
  ) {}

  /** Behind what is queued now. */
  mark(): Mark {
    const event = this.#unused.pop() ?? made(this.driver.eventCreate, 0);
    this.#events.push(event);
    this.driver.eventRecord(event, this.stream);
    return event;
  }

  /** Milliseconds between two marks that the card has passed, to half a microsecond. */
  between(start: Mark, end: Mark): number {
    return made(this.driver.eventElapsed, start, end);
  }

  /** Marks until now count no more. */
  reset(): void {
    this.#unused.push(...this.#events.splice(0));
  }

  dispose(): void {
    this.reset();
    for (const event of this.#unused.splice(0)) this.driver.eventDestroy(event);
  }
}
