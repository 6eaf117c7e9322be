/** The measurements of a run folder: a file for each machine. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isExpected, messageOf, RequestError } from '../../shared/errors.js';
import { exists, readJson, writeJson } from '../../shared/files.js';
import type { TrialResult } from '../result.js';
import { fingerprintOf, type MachineMeasurements, type MeasuredTrial, parseMeasurements } from './measurement.js';

const folderName = 'measurements';

/** @throws RequestError for a name that is no name of a file */
export function measurementsFile(runFolder: string, machine: string): string {
  if (!/^[\w][\w.+-]*$/.test(machine)) {
    throw new RequestError(
      `--machine: expected letters, digits, ".", "+", "-" and "_", received ${JSON.stringify(machine)}`,
    );
  }
  return path.join(runFolder, folderName, `${machine}.json`);
}

/** All machines, by name; what cannot be read, or is of a machine that is there already, is named in `problems`. */
export async function readMachines(runFolder: string, problems: string[]): Promise<MachineMeasurements[]> {
  const folder = path.join(runFolder, folderName);
  const names = await readdir(folder).catch(() => []);
  const machines: MachineMeasurements[] = [];
  for (const name of names.filter((name) => name.endsWith('.json')).sort()) {
    const file = path.join(folder, name);
    try {
      const table = parseMeasurements(await readJson<unknown>(file), file);
      const isCopy = machines.some(({ machine }) => machine === table.machine);
      if (isCopy) problems.push(`${file} is left out: another file holds what ${table.machine} has measured, too`);
      else machines.push(table);
    } catch (error) {
      if (!isExpected(error)) throw error;
      problems.push(messageOf(error));
    }
  }
  return machines;
}

/** What a machine has measured of a trial; undefined where that was a trial of other settings. */
export function measuredOn(
  { trials }: MachineMeasurements,
  { name, result }: { readonly name: string; readonly result: TrialResult },
): MeasuredTrial | undefined {
  return trials.find(({ trial, fingerprint }) => trial === name && fingerprint === fingerprintOf(result));
}

/**
 * The table of a machine which another one would replace; undefined where there is none, or nothing in it but times of this
 * trial before that was trained anew.
 */
export function replaceableTable(
  run: { readonly name: string; readonly result: TrialResult; readonly machines: readonly MachineMeasurements[] },
  machine: string,
): MachineMeasurements | undefined {
  const table = run.machines.find((known) => known.machine === machine);
  return table?.trials.every(({ trial }) => trial === run.name && !measuredOn(table, run)) ? undefined : table;
}

/** How the table of a machine is kept, or given up. */
export function keepingHint(runFolder: string, machine: string): string {
  return `Give --machine another name, or remove ${measurementsFile(runFolder, machine)}.`;
}

/** Writes the file of a machine; trials that were measured before and are not measured now stay. */
export async function writeMachine(runFolder: string, measured: MachineMeasurements): Promise<string> {
  const file = measurementsFile(runFolder, measured.machine);
  const before = (await exists(file)) ? parseMeasurements(await readJson<unknown>(file), file).trials : [];
  const kept = before.filter(({ trial }) => !measured.trials.some((now) => now.trial === trial));
  const content: MachineMeasurements = { ...measured, trials: [...kept, ...measured.trials] };
  await writeJson(file, content);
  return file;
}
