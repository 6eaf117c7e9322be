/** Where failures are printed; results are printed by commands, progress by `progress.ts`. */
import { type Failure, formatFailure } from './failures.js';

/** One message on standard error; with `--json` one document `{error: {message, hint}}` on standard output, where that takes it. */
export function printFailure(failure: Failure, json: boolean): void {
  if (json && !failure.isOfOutput) {
    const { message, hint, stack } = failure;
    // Not console.log, which is silent where the stream takes nothing.
    process.stdout.write(`${JSON.stringify({ error: { message, hint, stack } }, undefined, 2)}\n`);
  } else {
    console.error(formatFailure(failure));
  }
}
