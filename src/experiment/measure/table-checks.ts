/** What a table from elsewhere may say of a trial: that it is of this trial, and nothing that cannot be. */
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { fingerprintOf } from '../../run-folder/measured/measurement.js';
import type { StitchResult } from '../../run-folder/result.js';
import { RequestError } from '../../shared/errors.js';
import { estaCommand, formatNextStep } from '../../shared/next-step.js';

export type KnownStitch = Pick<StitchResult, 'id' | 'flops'>;

/** A time, and what stands beside it. */
export interface TimedEntry {
  /** The file and the row, for messages. */
  readonly where: string;
  readonly id: number;
  readonly flops?: number | undefined;
  readonly median_ms: number;
  readonly p90_ms?: number | undefined;
}

/** A spreadsheet may save the FLOPs of a large network to three digits, 1.23E+11. */
const roundedTo = 0.005;

/** @throws RequestError for a fingerprint of another trial, or of this one before it was trained anew */
export function checkFingerprint(run: MeasuredRun, fingerprint: string, file: string): void {
  const expected = fingerprintOf(run.result);
  if (fingerprint === expected) return;
  throw ofAnotherRun(run, file, `its fingerprint is ${fingerprint}, that of ${run.name} is ${expected}`);
}

/** @throws RequestError for an entry that cannot be: it names the entry, its value and what is allowed */
export function checkEntries(run: MeasuredRun, entries: readonly TimedEntry[], stitches: readonly KnownStitch[]): void {
  const invalid = ({ where }: TimedEntry, problem: string) =>
    new RequestError(
      `${where} is not valid:\n  ${problem}`,
      formHint(run, 'A form with all stitches of this run:', '--all'),
    );
  for (const entry of entries) {
    const { id, flops, median_ms: median, p90_ms: p90 } = entry;
    const known = stitches.find((stitch) => stitch.id === id);
    if (!known)
      throw invalid(entry, `stitch: expected one of ${idsIn(stitches)}, those of ${run.name}, received ${id}`);
    if (flops !== undefined && Math.abs(flops - known.flops) > roundedTo * known.flops)
      throw invalid(entry, `flops: expected ${known.flops}, those of stitch ${id}, received ${flops}`);
    if (p90 !== undefined && p90 < median)
      throw invalid(entry, `p90_ms: expected at least the median_ms, ${median}, received ${p90}`);
  }
}

/** 0 to 70, or each of a few. */
function idsIn(stitches: readonly KnownStitch[]): string {
  const ids = stitches.map(({ id }) => id).sort((a, b) => a - b);
  const isRange = ids.length > 2 && ids.at(-1)! - ids[0]! === ids.length - 1;
  return isRange ? `${ids[0]} to ${ids.at(-1)}` : ids.join(', ');
}

export function ofAnotherRun(run: MeasuredRun, file: string, reason: string): RequestError {
  return new RequestError(
    `${file} was measured on another run: ${reason}`,
    formHint(run, 'A form of this one, to be filled in:'),
  );
}

/** A file that is empty, or has the first line of the form alone. */
export function withoutRows(run: MeasuredRun, file: string): RequestError {
  return new RequestError(`${file} holds no rows`, formHint(run, 'A form to be filled in:'));
}

function formHint(run: MeasuredRun, purpose: string, ...more: readonly string[]): string {
  const command = estaCommand('measure', run.folder, '--trial', run.name, ...more, '--form', 'form.csv');
  return formatNextStep({ purpose, command });
}
