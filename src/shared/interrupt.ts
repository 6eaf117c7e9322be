/** Ctrl-C and a polite kill, as a signal that long work looks at between two steps. */
export function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return interrupt.signal;
}
