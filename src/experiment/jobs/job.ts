/** One process of `--jobs`: started on its place, told what to do, asked to stop. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RequestError, TrialError } from '../../shared/errors.js';
import { noteSaving } from '../../shared/interrupt.js';
import type { Outcome } from '../items/run-items.js';
import type { Assignment, Order, Position, Report } from './messages.js';
import type { Place } from './places.js';

export interface JobListener {
  line(text: string): void;
  progress(position: Position): void;
}

/** How a piece of work ended: as the process reports it, or because the process did. */
export type Ended = Outcome | { readonly state: 'stopped' } | { readonly state: 'died'; readonly reason: string };

export interface Job {
  /** @param id of an item, or the name of a trial */
  run(id: string): Promise<Ended>;
  /** It saves what it has. */
  askToStop(): void;
  /** Ends it where nothing is under way, or waits until it has stopped. */
  end(): Promise<void>;
}

const program = fileURLToPath(new URL('./worker.js', import.meta.url));

/** @throws RequestError where the process finds that the request is wrong, TrialError where it finds the disk full */
export async function startJob(place: Place, assignment: Omit<Assignment, 'threads'>, to: JobListener): Promise<Job> {
  const child = start(place);
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const saves = answeredFor(child);
  let answer: (report: Report) => void = () => {};
  child.on('message', (report: Report) => {
    if (report.is === 'line') to.line(report.text);
    else if (report.is === 'saving') saves(report.saves);
    else if (report.is === 'progress') to.progress(report);
    else answer(report);
  });
  const ask = (order: Order) => {
    const answered = new Promise<Report>((resolve) => {
      answer = resolve;
    });
    child.send(order, () => {}); // that it has ended is noticed below
    return Promise.race([answered, ended.then(([code, signal]) => ({ is: 'died', code, signal }) as const)]);
  };
  const opened = await ask({ open: { ...assignment, threads: place.threads } });
  if (opened.is === 'refused') {
    child.disconnect();
    const { exitStatus, message, hint } = opened;
    throw exitStatus === 1 ? new TrialError(message, hint) : new RequestError(message, hint);
  }
  return {
    async run(id) {
      const report = await ask({ run: id });
      switch (report.is) {
        case 'outcome':
          return report.outcome;
        case 'died':
          return { state: 'died', reason: report.signal ?? `exit status ${report.code}` };
        case 'refused': {
          const { message: error, hint } = report;
          return { state: 'failed', error, ...(hint !== undefined && { hint }) };
        }
        default:
          return { state: 'stopped' };
      }
    },
    askToStop: () => void child.kill('SIGTERM'),
    async end() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** What to call where steps begin and end in a process: Ctrl-C is answered for it, and it may be killed amid them. */
function answeredFor(child: ChildProcess): (saves: boolean) => void {
  let noted = false;
  const note = (saves: boolean) => {
    if (saves !== noted) noteSaving(saves);
    noted = saves;
  };
  child.once('exit', () => note(false));
  return (saves) => note(saves && child.exitCode === null && child.signalCode === null);
}

/** Bound to its cores where the system can do that: libraries then start as many threads as there are cores. */
function start({ cores, gpu }: Place): ChildProcess {
  const bound = cores && canBind() ? ['taskset', '-c', cores.join(',')] : [];
  const [file, ...args] = [...bound, process.execPath, ...process.execArgv, program];
  return spawn(file!, args, {
    env: { ...process.env, ...(gpu !== undefined && { CUDA_VISIBLE_DEVICES: gpu }) },
    stdio: ['ignore', 2, 2, 'ipc'],
  });
}

let canBindHere: boolean | undefined;
function canBind(): boolean {
  canBindHere ??= process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0;
  return canBindHere;
}
