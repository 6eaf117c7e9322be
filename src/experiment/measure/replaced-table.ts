/** A table that is imported must not cost one that says more, nor one of another machine that happens to have its name. */

import { isDeepStrictEqual } from 'node:util';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { settingsOf } from '../../run-folder/measured/measured-settings.js';
import type { MachineMeasurements, MeasuredTrial } from '../../run-folder/measured/measurement.js';
import {
  keepingHint,
  measuredOn,
  measurementsFile,
  replaceableTable,
} from '../../run-folder/measured/measurements-folder.js';
import { counted } from '../../shared/costs/numbers.js';
import { RequestError } from '../../shared/errors.js';

/** How many are named of those that would be lost. */
const named = 5;

/** @throws RequestError where the run has a table of that machine which the new one would not replace as a whole */
export function refuseReplaced(run: MeasuredRun, table: MachineMeasurements, file: string): void {
  const known = replaceableTable(run, table.machine);
  if (!known) return;
  // The minutes of a measurement, and the memory and file sizes that only that has.
  if (known.processor !== undefined && !isSameMeasurement(known, table, run)) {
    throw new RequestError(
      `${known.machine} has been measured by esta measure (${known.runtime}), and ${file} would replace that`,
      keepingHint(run.folder, known.machine),
    );
  }
  // Times of other trials, which stay in the file, would pass as measured by esta.
  if (
    known.processor === undefined &&
    table.processor !== undefined &&
    known.trials.some(({ trial }) => trial !== run.name)
  ) {
    throw new RequestError(
      `${known.machine} has a table from elsewhere (${known.runtime}) with other trials, and ${file} is a measurement of esta measure`,
      keepingHint(run.folder, known.machine),
    );
  }
  const before = rowsOf(measuredOn(known, run));
  const now = rowsOf(measuredOn(table, run));
  const lost = before.filter((row) => !now.includes(row));
  if (lost.length === 0) return;
  const more = lost.length > named ? `, and ${lost.length - named} more` : '';
  throw new RequestError(
    `${known.machine} has ${counted(before.length, 'time')} of ${run.name} (${known.runtime}), and ${file}, with ${counted(now.length, 'time')}, would lose ${lost.slice(0, named).join(', ')}${more}`,
    `Times of one measurement belong together: add what is missing, give --machine another name, or remove ${measurementsFile(run.folder, known.machine)}.`,
  );
}

/** Whether both are of the same processor and device, with as many threads, and the other has no fewer rounds. */
function isSameMeasurement(one: MachineMeasurements, other: MachineMeasurements, run: MeasuredRun): boolean {
  const roundsOf = (table: MachineMeasurements) => measuredOn(table, run)?.rounds ?? 0;
  const isAlike = one.processor === other.processor && isDeepStrictEqual(settingsOf(one), settingsOf(other));
  return isAlike && roundsOf(other) >= roundsOf(one);
}

function rowsOf(trial: MeasuredTrial | undefined): string[] {
  return (trial?.stitches ?? []).flatMap(({ id, latencies }) =>
    latencies.map(({ batch }) => `stitch ${id} with batch ${batch}`),
  );
}
