/**
 * Ctrl-C, a polite kill, the end of the terminal, and the warning of a batch system (SIGUSR2), as a signal that long work looks
 * at between two steps. Once more ends the program at once.
 */
export function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  const stop = () => {
    // A process that waits for this one has answered: a step keeps this one's only thread busy.
    if (!process.connected && !interrupt.signal.aborted) process.stderr.write(stoppingAnswer(saving > 0));
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

/** What Ctrl-C is answered with. @param saves whether a step is under way after which everything is saved */
export function stoppingAnswer(saves: boolean): string {
  return `\nStopping${saves ? ': saving after this step' : ''}. Ctrl-C once more ends at once.\n`;
}

/** Trainings under way in this process, and in those for which it answers. */
let saving = 0;
let tell: ((saves: boolean) => void) | undefined;

/** Does `steps`, after each of which everything is saved when the user has asked to stop: then Ctrl-C is answered so. */
export async function savingSteps<Result>(steps: () => Promise<Result>): Promise<Result> {
  noteSaving(true);
  try {
    return await steps();
  } finally {
    noteSaving(false);
  }
}

/** Notes that such steps begin, or end: here, or in a process for which this one answers Ctrl-C. */
export function noteSaving(begins: boolean): void {
  saving += begins ? 1 : -1;
  if (saving === (begins ? 1 : 0)) tell?.(begins);
}

/** Lets another process, which answers Ctrl-C for this one, know when it begins and ends to be true. */
export function onSavingSteps(listener: (saves: boolean) => void): void {
  tell = listener;
}
