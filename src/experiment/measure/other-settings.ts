/** A measurement must not cost one of other settings: whoever types a name again expects the same times, or more of them. */
import { availableParallelism } from 'node:os';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { type MeasuredSettings, settingsOf } from '../../run-folder/measured/measured-settings.js';
import { keepingHint, measuredOn, replaceableTable } from '../../run-folder/measured/measurements-folder.js';
import { measuringCommand } from '../../run-folder/measured/measuring-command.js';
import { RequestError } from '../../shared/errors.js';
import { formatNextStep } from '../../shared/next-step.js';
import type { MeasureRequest } from './measured-before.js';

/**
 * More rounds or batches are no other setting: they are a longer measurement of the same.
 * @param processor of this machine
 * @param again whether what is measured already is to be measured once more
 * @throws RequestError where the machine has been measured otherwise, names what differs
 */
export function refuseOtherSettings(
  run: MeasuredRun,
  request: MeasureRequest,
  { processor, again }: { readonly processor: string; readonly again: boolean },
): void {
  const table = replaceableTable(run, request.machine);
  if (!table) return;
  const before = settingsOf(table, measuredOn(table, run));
  const ways = keepingHint(run.folder, table.machine);
  if (!before) {
    const what = `${table.machine} has a table from elsewhere (${table.runtime})`;
    throw new RequestError(`${what}, and this measurement would replace that`, ways);
  }
  const what = `${table.machine} has been measured by esta measure (${table.runtime})`;
  if (table.processor !== processor) {
    throw new RequestError(
      `${what} on ${table.processor}, and this measurement, on ${processor}, would replace that`,
      ways,
    );
  }
  const differences = differencesOf(before, request);
  if (differences.length === 0) return;
  const command = measuringCommand(run, table, ...(request.all ? ['--all'] : []), ...(again ? ['--again'] : []));
  throw new RequestError(
    `${what}, and this measurement with other settings would replace that: ${differences.join('; ')}`,
    formatNextStep({ purpose: `${ways} With the settings of before:`, command }),
  );
}

function differencesOf(before: MeasuredSettings, request: MeasureRequest): string[] {
  const { device = 'cpu', threads = availableParallelism(), batches, rounds } = request;
  const differs = (what: string, then: string | number | undefined, now: string | number) =>
    then === undefined || then === now ? [] : [`${what} ${then} before, ${now} now`];
  return [
    ...differs('device', before.device, device),
    ...(device === before.device ? differs('threads', before.threads, threads) : []),
    ...(before.batches?.some((batch) => !batches.includes(batch))
      ? differs('batches', before.batches.join(' and '), batches.join(' and '))
      : []),
    ...(rounds < (before.rounds ?? 0) ? differs('rounds', before.rounds, rounds) : []),
  ];
}
