/**
 * Tables that were measured elsewhere: on a phone, on a Jetson, by another runtime. A form that was filled in, or the same
 * rows in JSON, is imported; so is a file that `esta measure` wrote on another machine. Rows name the trial and its
 * fingerprint: those of another run are refused.
 */
import path from 'node:path';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import {
  fingerprintOf,
  type MachineMeasurements,
  type MeasuredTrial,
  measurementVersion,
  parseMeasurements,
} from '../../run-folder/measured/measurement.js';
import { writeMachine } from '../../run-folder/measured/measurements-folder.js';
import { RequestError } from '../../shared/errors.js';
import { readJson } from '../../shared/files.js';
import { groupBy } from '../../shared/groups.js';
import { readCsvRows } from './csv-rows.js';
import { refuseReplaced } from './replaced-table.js';
import {
  checkEntries,
  checkFingerprint,
  type KnownStitch,
  ofAnotherRun,
  type TimedEntry,
  withoutRows,
} from './table-checks.js';
import { parseRows, type Row, refuseTwice } from './table-rows.js';

/**
 * Writes what a table says into the run folder.
 * @param machine its name; default: the one that the table names, if it was written by `esta measure`
 * @param trained all stitches of the trial, asked for where a table has some that are not deployed
 * @throws RequestError where it is of another run or says what cannot be, names the row
 */
export async function importTable(
  run: MeasuredRun,
  file: string,
  machine?: string,
  trained: typeof trainedStitches = trainedStitches,
): Promise<MachineMeasurements> {
  const content =
    path.extname(file).toLowerCase() === '.json' ? await readJson<unknown>(file) : await readCsvRows(file);
  const table = Array.isArray(content)
    ? await ofRows(run, { content, file, machine, trained })
    : await ofMachine(run, { content, file, machine, trained });
  refuseReplaced(run, table, file);
  await writeMachine(run.folder, table);
  return table;
}

/** What all stitches of a trial are, deployed or not; of language models, those that are deployed. */
export async function trainedStitches(run: MeasuredRun): Promise<readonly KnownStitch[]> {
  if (run.result.stitches.some(({ loss }) => loss !== undefined)) return run.result.stitches;
  const { openTrainedStitches } = await import('../deployed/trained-stitches.js');
  const { trained, facts } = await openTrainedStitches(run);
  return trained.map(facts);
}

interface Import<Content> {
  readonly content: Content;
  readonly file: string;
  readonly machine: string | undefined;
  readonly trained: typeof trainedStitches;
}

/** A file of `esta measure`. */
async function ofMachine(
  run: MeasuredRun,
  { content, file, machine, trained }: Import<unknown>,
): Promise<MachineMeasurements> {
  const own = parseMeasurements(content, file);
  const trials = own.trials.filter(({ trial }) => trial === run.name);
  if (trials.length === 0) throw ofAnotherRun(run, file, `it is of ${own.trials.map(({ trial }) => trial).join(', ')}`);
  for (const { fingerprint, stitches } of trials) {
    checkFingerprint(run, fingerprint, file);
    const entries = stitches.flatMap(({ id, flops, latencies }) =>
      latencies.map((each) => ({ ...each, id, flops, where: `${file}, stitch ${id} with batch ${each.batch}` })),
    );
    checkEntries(run, entries, await knownStitches(run, entries, trained));
  }
  return { ...own, machine: machine ?? own.machine, trials };
}

/** A form that was filled in, or its rows in JSON. */
async function ofRows(
  run: MeasuredRun,
  { content, file, machine, trained }: Import<readonly unknown[]>,
): Promise<MachineMeasurements> {
  if (content.length === 0) throw withoutRows(run, file);
  if (machine === undefined) {
    throw new RequestError(`${file} does not say on which machine it was measured`, 'Name it with --machine NAME.');
  }
  const rows = parseRows(content, file).filter(({ trial }) => trial === run.name);
  if (rows.length === 0) throw ofAnotherRun(run, file, `no row is of ${run.name}`);
  for (const { fingerprint } of rows) checkFingerprint(run, fingerprint, file);
  const entries = rows.map((row) => ({ ...row, id: row.stitch }));
  const stitches = await knownStitches(run, entries, trained);
  checkEntries(run, entries, stitches);
  refuseTwice(rows, file);
  return {
    version: measurementVersion,
    machine,
    runtime: `measured elsewhere, ${path.basename(file)}`,
    measured_at: new Date().toISOString(),
    trials: [trialOf(run, rows, stitches)],
  };
}

/** The deployed stitches are at hand; the others follow from the experiment, which takes reading what was trained. */
async function knownStitches(
  run: MeasuredRun,
  entries: readonly TimedEntry[],
  trained: typeof trainedStitches,
): Promise<readonly KnownStitch[]> {
  const deployed = run.result.stitches;
  return entries.every(({ id }) => deployed.some((stitch) => stitch.id === id)) ? deployed : trained(run);
}

function trialOf(run: MeasuredRun, rows: readonly Row[], known: readonly KnownStitch[]): MeasuredTrial {
  const stitches = [...groupBy(rows, ({ stitch }) => stitch)].map(([id, same]) => {
    const bytes = same.find((row) => row.file_bytes !== undefined)?.file_bytes;
    const peak = same.find((row) => row.peak_memory_bytes !== undefined)?.peak_memory_bytes;
    return {
      id,
      flops: known.find((stitch) => stitch.id === id)!.flops,
      ...(bytes !== undefined && { file_bytes: bytes }),
      ...(peak !== undefined && { peak_memory_bytes: peak }),
      latencies: same.map(({ batch, median_ms, p90_ms }) => ({ batch, median_ms, ...(p90_ms && { p90_ms }) })),
    };
  });
  return { trial: run.name, fingerprint: fingerprintOf(run.result), stitches };
}
