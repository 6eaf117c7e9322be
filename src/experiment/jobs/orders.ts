/** What a process of `esta run --jobs` does when it is told something, and what it tells back. */
import { createEngine } from '../../engine/select.js';
import { Interrupted, isExpected, RequestError } from '../../shared/errors.js';
import type { Progress, ProgressFields } from '../../shared/progress.js';
import { itemsOfPlan } from '../items/item.js';
import { type OpenItems, openItems } from '../items/run-items.js';
import { planOf } from '../plan.js';
import type { Assignment, Order, Position, Report } from './messages.js';

type Tell = (report: Report) => void;

/**
 * Obeys one order after the other: the first opens what the others run.
 * @param signal of Ctrl-C
 * @param now milliseconds; default a clock
 * @returns rejects with what is a bug; all else is told
 */
export function obeying(
  tell: Tell,
  signal: AbortSignal,
  now = () => performance.now(),
): (order: Order) => Promise<void> {
  let opened: OpenItems | undefined;
  const obey = async (order: Order): Promise<void> => {
    if ('open' in order) {
      opened = await open(order.open, signal, toldProgress(tell, now));
      return tell({ is: 'open' });
    }
    if (!opened) throw new RequestError('a worker that has nothing open was told to run something');
    if (signal.aborted) throw new Interrupted('stopped before it began');
    tell({ is: 'outcome', id: order.run, outcome: await opened.run(order.run) });
  };
  return (order) =>
    obey(order).catch((error: unknown) => {
      if (error instanceof Interrupted) return tell({ is: 'stopped' });
      if (!isExpected(error)) throw error;
      const { exitStatus, message, hint } = error;
      tell({ is: 'refused', exitStatus, message, ...(hint !== undefined && { hint }) });
    });
}

async function open(
  { engine: choice, device, threads, ...what }: Assignment,
  signal: AbortSignal,
  progress: Progress,
): Promise<OpenItems> {
  const { experiment } = what;
  const engine = await createEngine(choice, { device, threads, precision: experiment.training.precision });
  const plan = await planOf(what.experiment, what.runFolder, what.variants);
  return openItems({ ...what, engine, signal, progress, items: itemsOfPlan(plan) });
}

/** Milliseconds between two reports of progress, but for the start of something new. */
const reportEvery = 200;

/** Tells the other process, at most five times a second. */
export function toldProgress(tell: Tell, now: () => number): Progress {
  let position: Position = { label: '', done: 0, total: 0, fields: {} };
  let told = 0;
  const change = (next: Position, isUrgent: boolean) => {
    position = next;
    if (!isUrgent && now() - told < reportEvery) return;
    told = now();
    tell({ is: 'progress', ...position });
  };
  return {
    start: (label, total, fields: ProgressFields = {}, done = 0) => change({ label, total, fields, done }, true),
    update: (done, fields = {}) => change({ ...position, done, fields: { ...position.fields, ...fields } }, false),
    stop: () => {},
    line: (text) => tell({ is: 'line', text }),
  };
}
