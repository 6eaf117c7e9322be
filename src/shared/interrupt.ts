/**
 * Ctrl-C, a polite kill, the end of the terminal, and the warning of a batch system (SIGUSR2), as a signal that long work looks
 * at between two steps. Once more ends the program at once.
 */
export function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  const stop = () => {
    // A process that waits for this one has answered: a step keeps this one's only thread busy.
    if (!process.connected && !interrupt.signal.aborted) process.stderr.write(stopping);
    interrupt.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  if (process.platform !== 'win32') {
    // It may come again, as a warning of each part of a job; SIGUSR1 would start the debugger of Node.js.
    process.on('SIGUSR2', () => {
      wasWarned = true;
      stop();
    });
  }
  return interrupt.signal;
}

let wasWarned = false;

/** Exit status of a program that was stopped: 75 (EX_TEMPFAIL of sysexits.h) by a batch system, that it is to be queued again. */
export function interruptedStatus(): 75 | 130 {
  return wasWarned ? 75 : 130;
}

/** What Ctrl-C is answered with. */
export const stopping = '\nStopping: saving after this step. Ctrl-C once more ends at once.\n';
