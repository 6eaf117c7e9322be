/** How milliseconds that a table lacks are measured. */
import { estaCommand } from '../../shared/next-step.js';
import type { MeasuredRun } from './choice.js';
import type { MachineMeasurements } from './measurement.js';

/**
 * The command that measures a run on the machine of a table, or writes a form where that was filled in elsewhere.
 * @param more further words: `--all`
 */
export function measuringCommand(
  { folder, name }: Pick<MeasuredRun, 'folder' | 'name'>,
  { machine, processor }: Pick<MachineMeasurements, 'machine' | 'processor'>,
  ...more: readonly string[]
): string {
  const how = processor === undefined ? ['--form', 'form.csv'] : ['--machine', machine];
  return estaCommand('measure', folder, '--trial', name, ...more, ...how);
}
