/** The form that `esta measure --form` writes, CSV: a row for each stitch, whose times are measured without esta. */
import { readFile } from 'node:fs/promises';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import { fingerprintOf } from '../../run-folder/measured/measurement.js';
import type { StitchResult } from '../../run-folder/result.js';
import { RequestError } from '../../shared/errors.js';
import { writeAtomic } from '../../shared/files.js';
import { columns } from './table-rows.js';

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
