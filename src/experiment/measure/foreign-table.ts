/**
 * Tables that were measured elsewhere: on a phone, on a Jetson, by another runtime. `esta measure --form` writes a form, CSV
 * with a row for each stitch and batch; filled in, or as the same rows in JSON, it is imported. So is a file that `esta
 * measure` wrote on another machine. Rows name the trial and its fingerprint: those of another run are refused.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import {
  fingerprintOf,
  type MachineMeasurements,
  type MeasuredTrial,
  measurementVersion,
  parseMeasurements,
} from '../../run-folder/measured/measurement.js';
import { measurementsFile, writeMachine } from '../../run-folder/measured/measurements-folder.js';
import type { StitchResult } from '../../run-folder/result.js';
import { RequestError } from '../../shared/errors.js';
import { readJson, writeAtomic } from '../../shared/files.js';
import { groupBy } from '../../shared/groups.js';
import { estaCommand, formatNextStep } from '../../shared/next-step.js';
import { readCsvRows } from './csv-rows.js';

const columns = [
  'trial',
  'fingerprint',
  'stitch',
  'flops',
  'batch',
  'median_ms',
  'p90_ms',
  'file_bytes',
  'peak_memory_bytes',
] as const;

const filled = (cell: unknown) => (cell === '' || cell === null ? undefined : cell);
const positive = z.coerce.number<unknown>({ error: 'expected a number above 0' }).positive();
const number = z.preprocess(filled, positive);
/** What is left empty is not known. */
const known = z.preprocess(filled, positive.optional());
const row = z.object({
  trial: z.string().min(1),
  fingerprint: z.string().min(1),
  stitch: z.preprocess(filled, z.coerce.number().int().nonnegative()),
  flops: known,
  batch: z.preprocess((cell) => filled(cell) ?? 1, positive.int()),
  median_ms: number,
  p90_ms: known,
  file_bytes: known,
  peak_memory_bytes: known,
});
type Row = z.output<typeof row>;

/**
 * The form of a trial, CSV: times are to be filled in, of the files that `esta export --stitch` writes.
 * @param stitches default: those that it has deployed; to deploy others takes the times of all
 */
export function formOf(
  { name, result }: MeasuredRun,
  stitches: readonly Pick<StitchResult, 'id' | 'flops'>[] = result.stitches,
): string {
  const fingerprint = fingerprintOf(result);
  const rows = stitches.map(({ id, flops }) => [name, fingerprint, id, flops, 1, '', '', '', '']);
  return `${[columns, ...rows].map((cells) => cells.join(',')).join('\n')}\n`;
}

/**
 * Writes the form; one of before is replaced as long as it is empty.
 * @throws RequestError where the file holds anything else, as times that were filled in
 */
export async function writeForm(file: string, form: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => undefined);
  const [header, ...rows] = before?.trimEnd().split('\n') ?? [];
  const isEmpty = header === columns.join(',') && rows.every((cells) => cells.endsWith(',1,,,,'));
  if (before !== undefined && !isEmpty) {
    throw new RequestError(
      `${file} is there, and no empty form: it would be replaced`,
      'Import it with --import, give --form another name, or remove that file.',
    );
  }
  await writeAtomic(file, form);
}

/**
 * Writes what a table says into the run folder.
 * @param machine its name; default: the one that the table names, if it was written by `esta measure`
 * @throws RequestError where it is of another run, names the row
 */
export async function importTable(run: MeasuredRun, file: string, machine?: string): Promise<MachineMeasurements> {
  const content =
    path.extname(file).toLowerCase() === '.json' ? await readJson<unknown>(file) : await readCsvRows(file);
  if (!Array.isArray(content)) {
    const own = parseMeasurements(content, file);
    const trials = own.trials.filter(({ trial }) => trial === run.name);
    if (trials.length === 0)
      throw ofAnotherRun(run, file, `it is of ${own.trials.map(({ trial }) => trial).join(', ')}`);
    for (const trial of trials) checkIdentity(run, trial, file);
    refuseMeasuredHere(run, machine ?? own.machine, file, own.processor);
    return written(run, { ...own, machine: machine ?? own.machine, trials });
  }
  if (machine === undefined) {
    throw new RequestError(`${file} does not say on which machine it was measured`, 'Name it with --machine NAME.');
  }
  refuseMeasuredHere(run, machine, file);
  const rows = content.map((entry, index) => parseRow(entry, `${file}, row ${index + 1}`));
  const own = rows.filter(({ trial }) => trial === run.name);
  if (own.length === 0) throw ofAnotherRun(run, file, `no row is of ${run.name}`);
  for (const { stitch: id, flops, fingerprint } of own)
    checkIdentity(run, { fingerprint, stitches: [{ id, ...(flops && { flops }) }] }, file);
  refuseTwice(own, file);
  return written(run, {
    version: measurementVersion,
    machine,
    runtime: `measured elsewhere, ${path.basename(file)}`,
    measured_at: new Date().toISOString(),
    trials: [trialOf(run, own)],
  });
}

async function written(run: MeasuredRun, measured: MachineMeasurements): Promise<MachineMeasurements> {
  await writeMachine(run.folder, measured);
  return measured;
}

function trialOf(run: MeasuredRun, rows: readonly Row[]): MeasuredTrial {
  const stitches = [...groupBy(rows, ({ stitch }) => stitch)].map(([id, same]) => {
    const bytes = same.find((row) => row.file_bytes !== undefined)?.file_bytes;
    const peak = same.find((row) => row.peak_memory_bytes !== undefined)?.peak_memory_bytes;
    return {
      id,
      flops: (run.result.stitches.find((stitch) => stitch.id === id) ?? same[0]!).flops!,
      ...(bytes !== undefined && { file_bytes: bytes }),
      ...(peak !== undefined && { peak_memory_bytes: peak }),
      latencies: same.map(({ batch, median_ms, p90_ms }) => ({ batch, median_ms, ...(p90_ms && { p90_ms }) })),
    };
  });
  return { trial: run.name, fingerprint: fingerprintOf(run.result), stitches };
}

interface Identified {
  readonly fingerprint: string;
  readonly stitches: readonly { readonly id: number; readonly flops?: number }[];
}

function checkIdentity(run: MeasuredRun, { fingerprint, stitches }: Identified, file: string): void {
  const expected = fingerprintOf(run.result);
  if (fingerprint !== expected) {
    throw ofAnotherRun(run, file, `its fingerprint is ${fingerprint}, that of ${run.name} is ${expected}`);
  }
  const deployed = run.result.stitches.map(({ id }) => id);
  // What is measured with --all has all stitches of the space, with their FLOPs.
  const unknown = stitches.find(({ id, flops }) => flops === undefined && !deployed.includes(id));
  if (unknown) {
    throw ofAnotherRun(run, file, `stitch ${unknown.id} is not deployed; deployed are ${deployed.join(', ')}`);
  }
}

/**
 * A form must not cost the minutes of a measurement, nor the memory and file sizes that only that has; nor may a
 * measurement of another machine that happens to have its name.
 * @param processor of the machine that the file is of; undefined: it does not say
 */
function refuseMeasuredHere(
  { machines, folder }: MeasuredRun,
  machine: string,
  file: string,
  processor?: string,
): void {
  const known = machines.find((table) => table.machine === machine);
  if (known?.processor === undefined || known.processor === processor) return;
  throw new RequestError(
    `${machine} has been measured by esta measure (${known.runtime}), and ${file} would replace that`,
    `Give --machine another name, or remove ${measurementsFile(folder, machine)}.`,
  );
}

/** Which of two times were meant cannot be told. */
function refuseTwice(rows: readonly Row[], file: string): void {
  const twice = rows.find(({ stitch, batch }, index) =>
    rows.slice(0, index).some((other) => other.stitch === stitch && other.batch === batch),
  );
  if (!twice) return;
  throw new RequestError(
    `${file} has two rows of stitch ${twice.stitch} with batch ${twice.batch}; expected one of each stitch and batch`,
    'Leave the right one. Times of two devices or runtimes go into two files, imported under two names of --machine.',
  );
}

function ofAnotherRun(run: MeasuredRun, file: string, reason: string): RequestError {
  const command = estaCommand('measure', run.folder, '--trial', run.name, '--form', 'form.csv');
  return new RequestError(
    `${file} was measured on another run: ${reason}`,
    formatNextStep({ purpose: 'A form of this one, to be filled in:', command }),
  );
}

function parseRow(entry: unknown, where: string): Row {
  const parsed = row.safeParse(entry);
  if (parsed.success) return parsed.data;
  const cells = entry as Readonly<Record<PropertyKey, unknown>> | null;
  const problems = parsed.error.issues.map(({ path: at, message }) => {
    const cell = at.length === 0 ? entry : cells![at[0]!];
    const received = filled(cell) === undefined ? 'nothing' : JSON.stringify(cell);
    return `${at.join('.') || 'the row'}: ${message}, received ${received}`;
  });
  const isUntimed = parsed.error.issues.some(({ path: [column] }) => column === 'median_ms');
  const advice = isUntimed ? 'Every row needs its median_ms; remove rows that were not measured. ' : '';
  throw new RequestError(
    `${where} is not valid:\n  ${problems.join('\n  ')}`,
    `${advice}Columns are ${columns.join(', ')}.`,
  );
}
