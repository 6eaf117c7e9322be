/** How milliseconds that a table lacks are measured. */
import { estaCommand } from '../../shared/next-step.js';
import type { MeasuredRun } from './choice.js';
import { settingsOf } from './measured-settings.js';
import type { MachineMeasurements } from './measurement.js';
import { measuredOn } from './measurements-folder.js';
import { measuringDefaults } from './measuring-defaults.js';

/**
 * The command that measures a run on the machine of a table, with the settings of before, or writes a form where that was
 * filled in elsewhere.
 * @param more further words: `--all`
 */
export function measuringCommand(
  run: Pick<MeasuredRun, 'folder' | 'name' | 'result'>,
  table: MachineMeasurements,
  ...more: readonly string[]
): string {
  const how = table.processor === undefined ? ['--form', 'form.csv'] : ['--machine', table.machine];
  return estaCommand('measure', run.folder, '--trial', run.name, ...more, ...how, ...settingsFlags(run, table));
}

/** Threads always, as how many are the default depends on who asks; the rest where it differs from the default. */
function settingsFlags(run: Pick<MeasuredRun, 'name' | 'result'>, table: MachineMeasurements): string[] {
  const { device, threads, batches, rounds } = settingsOf(table, measuredOn(table, run)) ?? {};
  const batch = batches?.at(-1);
  return [
    ...(device === undefined || device === 'cpu' ? [] : ['--device', device]),
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
    ...(batch === undefined || batch === measuringDefaults.batch ? [] : ['--batch', String(batch)]),
    ...(rounds === undefined || rounds === measuringDefaults.rounds ? [] : ['--rounds', String(rounds)]),
  ];
}
