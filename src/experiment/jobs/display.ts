/** How far the processes of `esta run --jobs` are, together: bars in a terminal, elsewhere a plain line now and then. */
import { MultiBar, type Options, type SingleBar } from 'cli-progress';
import { barStyle, formatPosition } from '../../shared/progress.js';
import type { Position } from './messages.js';

export interface JobsDisplay {
  /** Trials of the experiment that are finished, of all. */
  trials(finished: number, all: number): void;
  /** What a process is at; undefined: nothing. */
  at(job: number, position: Position | undefined): void;
  /** Writes one line, above the bars. */
  line(text: string): void;
  stop(): void;
}

export interface JobsDisplayOptions {
  /** Seconds between two plain lines; default 10. */
  readonly interval?: number;
  /** Milliseconds; default the system clock. */
  readonly now?: () => number;
}

/** The display that fits `stream`, normally `process.stderr`. */
export function createJobsDisplay(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  jobs: number,
  { interval = 10, now = Date.now }: JobsDisplayOptions = {},
): JobsDisplay {
  return stream.isTTY ? barsOf(stream, jobs) : linesOf(stream, interval * 1000, now);
}

function barsOf(stream: NodeJS.WritableStream, jobs: number): JobsDisplay {
  const bars = new MultiBar({
    format: '{label} {bar} {percentage}% {text}',
    ...barStyle,
    stream,
  } satisfies Options);
  // Each bar has an object of its own: it writes what is new into the one that it was given.
  const idle = () => ({ label: 'idle', text: '' });
  const all = bars.create(1, 0, { label: 'trials', text: '' });
  const each: SingleBar[] = Array.from({ length: jobs }, () => bars.create(1, 0, idle()));
  return {
    trials(finished, total) {
      all.setTotal(total);
      all.update(finished, { text: `${finished}/${total}` });
    },
    at(job, position) {
      const bar = each[job]!;
      bar.setTotal(position?.total ?? 1);
      bar.update(position?.done ?? 0, position ? { label: position.label, text: formatPosition(position) } : idle());
    },
    line: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}

function linesOf(stream: NodeJS.WritableStream, interval: number, now: () => number): JobsDisplay {
  const positions = new Map<number, Position>();
  let trials = '';
  let written = now();
  return {
    trials(finished, all) {
      trials = `${finished}/${all} trials`;
    },
    at(job, position) {
      if (position) positions.set(job, position);
      else positions.delete(job);
      if (now() - written < interval) return;
      written = now();
      const each = [...positions.values()].map(({ label, done, total }) => `${label}: ${done}/${total}`);
      stream.write(`${[trials, ...each].join('; ')}\n`);
    },
    line(text) {
      stream.write(`${text}\n`);
    },
    stop() {},
  };
}
