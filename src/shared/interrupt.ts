/**
 * Ctrl-C, a polite kill, and the end of the terminal, as a signal that long work looks at between two steps. Once more ends
 * the program at once.
 */
export function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  const stop = () => {
    // A process that waits for this one has answered: a step keeps this one's only thread busy.
    if (!process.connected && !interrupt.signal.aborted) process.stderr.write(stopping);
    interrupt.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  return interrupt.signal;
}

/** What Ctrl-C is answered with. */
export const stopping = '\nStopping: saving after this step. Ctrl-C once more ends at once.\n';
