/** A process of `esta run --jobs`: does what it is told by the process that started it, and ends with it. */
import { interruptSignal, onSavingSteps } from '../../shared/interrupt.js';
import type { Order, Report } from './messages.js';
import { obeying } from './orders.js';

const tell = (report: Report) => {
  if (process.connected) process.send!(report);
};
const obey = obeying(tell, interruptSignal());
onSavingSteps((saves) => tell({ is: 'saving', saves }));

process.once('disconnect', () => process.exit(1));
process.on('message', (order: Order) => void obey(order));
