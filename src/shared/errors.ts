/**
 * Two kinds of failure that are not bugs. Anything else that is thrown is a bug and shows its stack.
 *
 * A message says what was expected, what was received, where, and what to do next.
 */

import { interruptedStatus } from './interrupt.js';

/** The request is wrong (bad configuration, missing file, unknown name): exit status 2, one clean message, no stack. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly exitStatus = 2;
  /** @param hint what the user can do about it, printed on its own line */
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A trial could not be finished (loss is not a number, disk full): exit status 1; the other trials still run. */
export class TrialError extends Error {
  override readonly name = 'TrialError';
  readonly exitStatus = 1;
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A training whose loss, gradients or logits are no longer finite: a grid of learning rates goes on with the next one. */
export class Diverged extends TrialError {}

/** Ctrl-C: everything computed is saved. Exit status 130, as shells count it; 75 where a batch system warned of its limit. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitStatus = interruptedStatus();
  readonly hint = 'Run the same command again: it goes on from here.';
}

/** Tells an expected failure (message only) from a bug (message and stack). */
export function isExpected(error: unknown): error is RequestError | TrialError | Interrupted {
  return error instanceof RequestError || error instanceof TrialError || error instanceof Interrupted;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The nearest of `allowed` to `received` by edit distance, for "did you mean"; undefined when nothing is near. */
export function nearest(received: string, allowed: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(received.length / 3));
  const scored = allowed.map((name) => ({ name, distance: editDistance(received.toLowerCase(), name.toLowerCase()) }));
  scored.sort((a, b) => a.distance - b.distance);
  const [best] = scored;
  // With every letter replaced nothing is alike.
  return best && best.distance <= limit && best.distance < received.length ? best.name : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
