/**
 * How far a long computation is, on standard error: a bar in a terminal, a plain line now and then elsewhere, so that
 * logs stay short and standard output holds nothing but results.
 */
import { type Options, SingleBar } from 'cli-progress';

/** Named values shown beside the progress, already formatted: `{epoch: '3/100', loss: '0.412'}`. */
export type ProgressFields = Readonly<Record<string, string>>;

export interface Progress {
  /** Begins to count to `total`, from `done` (default 0) that were done before; ends what was shown before. */
  start(label: string, total: number, fields?: ProgressFields, done?: number): void;
  /** `done` of the total; fields that are not named keep their value. */
  update(done: number, fields?: ProgressFields): void;
  /** Ends the bar, or writes the last plain line. */
  stop(): void;
  /** Writes one line, above the bar. */
  line(text: string): void;
}

export interface ProgressOptions {
  /** Seconds between two plain lines; default 10. */
  readonly interval?: number;
  /** Milliseconds; default the system clock. */
  readonly now?: () => number;
}

/** The reporter that fits `stream`, normally `process.stderr`. */
export function createProgress(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  { interval = 10, now = Date.now }: ProgressOptions = {},
): Progress {
  return stream.isTTY ? barProgress(stream) : lineProgress(stream, interval, now);
}

/** How all bars look. */
export const barStyle = {
  barsize: 24,
  barCompleteChar: '█',
  barIncompleteChar: '░',
  hideCursor: true,
  clearOnComplete: true,
  gracefulExit: false, // Ctrl-C belongs to whoever runs the trials, which saves first
} as const satisfies Options;

/** Says nothing: for tests and callers that report in their own way. */
export const silentProgress: Progress = { start() {}, update() {}, stop() {}, line() {} };

function barProgress(stream: NodeJS.WritableStream): Progress {
  let bar: SingleBar | undefined;
  let current = { label: '', total: 0, done: 0, fields: {} as ProgressFields };
  const show = () => {
    // `text` is one payload, because fields differ between the stages of a run.
    bar = new SingleBar({
      format: '{label} {bar} {percentage}% {text} {eta_formatted} left',
      ...barStyle,
      etaBuffer: 50,
      stream,
    } satisfies Options);
    bar.start(current.total, current.done, { label: current.label, text: formatFields(current.fields) });
  };
  const hide = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    start(label, total, fields = {}, done = 0) {
      hide();
      current = { label, total, done, fields };
      show();
    },
    update(done, fields = {}) {
      current = { ...current, done, fields: { ...current.fields, ...fields } };
      bar?.update(done, { text: formatFields(current.fields) });
    },
    stop: hide,
    line(text) {
      const wasShown = bar !== undefined;
      hide();
      stream.write(`${text}\n`);
      if (wasShown) show();
    },
  };
}

function lineProgress(stream: NodeJS.WritableStream, interval: number, now: () => number): Progress {
  let current = { label: '', total: 0, done: 0, fields: {} as ProgressFields };
  let started = 0;
  let doneBefore = 0;
  let written = 0;
  let isPending = false;
  const write = () => {
    const { label, total, done } = current;
    const elapsed = (now() - started) / 1000;
    const doneNow = done - doneBefore;
    const left = doneNow > 0 && done < total ? `, ${formatSeconds((elapsed / doneNow) * (total - done))} left` : '';
    stream.write(`${label}: ${formatPosition(current)}${left}\n`);
    written = now();
    isPending = false;
  };
  const stop = () => {
    if (isPending) write();
  };
  return {
    start(label, total, fields = {}, done = 0) {
      stop();
      current = { label, total, done, fields };
      doneBefore = done;
      started = now();
      written = started;
    },
    update(done, fields = {}) {
      current = { ...current, done, fields: { ...current.fields, ...fields } };
      isPending = true;
      if (now() - written >= interval * 1000) write();
    },
    stop,
    line(text) {
      stream.write(`${text}\n`);
    },
  };
}

/** "3/100, loss 0.412" */
export function formatPosition({
  done,
  total,
  fields,
}: {
  done: number;
  total: number;
  fields: ProgressFields;
}): string {
  return [`${done}/${total}`, ...(Object.keys(fields).length > 0 ? [formatFields(fields)] : [])].join(', ');
}

function formatFields(fields: ProgressFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** 75 -> "1m15s" */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, '0')}m`;
  return minutes > 0 ? `${minutes}m${String(whole % 60).padStart(2, '0')}s` : `${whole}s`;
}
