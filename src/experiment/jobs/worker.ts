/** A process of `esta run --jobs`: does what it is told by the process that started it, and ends with it. */
import { createEngine } from '../../engine/select.js';
import { Interrupted, isExpected, RequestError } from '../../shared/errors.js';
import { interruptSignal } from '../../shared/interrupt.js';
import type { Progress, ProgressFields } from '../../shared/progress.js';
import { itemsOfPlan } from '../items/item.js';
import { type OpenItems, openItems } from '../items/run-items.js';
import { planOf } from '../plan.js';
import type { Assignment, Order, Position, Report } from './messages.js';

const signal = interruptSignal();
let opened: OpenItems | undefined;

function tell(report: Report): void {
  if (process.connected) process.send!(report);
}

process.once('disconnect', () => process.exit(1));
process.on('message', (order: Order) => {
  void obey(order).catch((error: unknown) => {
    if (error instanceof Interrupted) return tell({ is: 'stopped' });
    if (!isExpected(error)) throw error;
    tell({ is: 'refused', message: error.message, ...(error.hint !== undefined && { hint: error.hint }) });
  });
});

async function obey(order: Order): Promise<void> {
  if ('open' in order) {
    opened = await open(order.open);
    return tell({ is: 'open' });
  }
  if (!opened) throw new RequestError('a worker that has nothing open was told to run something');
  if (signal.aborted) throw new Interrupted('stopped before it began');
  tell({ is: 'outcome', id: order.run, outcome: await opened.run(order.run) });
}

async function open({ engine: choice, device, threads, ...what }: Assignment): Promise<OpenItems> {
  const engine = await createEngine(choice, { device, threads, precision: what.experiment.training.precision });
  const plan = await planOf(what.experiment, what.runFolder, what.variants);
  return openItems({ ...what, engine, signal, progress: toldProgress(), items: itemsOfPlan(plan) });
}

/** Tells the other process, at most five times a second. */
function toldProgress(): Progress {
  let position: Position = { label: '', done: 0, total: 0, fields: {} };
  let told = 0;
  const change = (next: Position, isUrgent: boolean) => {
    position = next;
    if (!isUrgent && performance.now() - told < 200) return;
    told = performance.now();
    tell({ is: 'progress', ...position });
  };
  return {
    start: (label, total, fields: ProgressFields = {}, done = 0) => change({ label, total, fields, done }, true),
    update: (done, fields = {}) => change({ ...position, done, fields: { ...position.fields, ...fields } }, false),
    stop: () => {},
    line: (text) => tell({ is: 'line', text }),
  };
}
