/** The rows of a table that was measured elsewhere, CSV or JSON: one for each stitch and batch. */
import { z } from 'zod';
import { RequestError } from '../../shared/errors.js';

export const columns = [
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

/** Those without which a row says nothing. */
const required = ['trial', 'fingerprint', 'stitch', 'median_ms'] as const;

const filled = (cell: unknown) => (cell === '' || cell === null ? undefined : cell);
const positive = z.coerce.number<unknown>({ error: 'expected a number above 0' }).positive();
const number = z.preprocess(filled, positive);
/** What is left empty is not known. */
const known = z.preprocess(filled, positive.optional());
const text = z.preprocess(filled, z.string({ error: 'expected what esta measure --form writes' }));
const row = z.object({
  trial: text,
  fingerprint: text,
  stitch: z.preprocess(
    filled,
    z.coerce.number<unknown>({ error: 'expected the number of a stitch' }).int('expected a whole number').nonnegative(),
  ),
  flops: known,
  batch: z.preprocess((cell) => filled(cell) ?? 1, positive.int()),
  median_ms: number,
  p90_ms: known,
  file_bytes: known,
  peak_memory_bytes: known,
});

export interface Row extends z.output<typeof row> {
  /** The file and the number of the row, for messages. */
  readonly where: string;
}

/** @throws RequestError that names the row, its values and what is expected */
export function parseRows(content: readonly unknown[], file: string): Row[] {
  const [first] = content;
  // A row that is no object is named below.
  const lacking = typeof first === 'object' && first !== null ? required.filter((column) => !(column in first)) : [];
  if (lacking.length > 0) {
    throw new RequestError(
      `${file} has no ${lacking.length === 1 ? 'column' : 'columns'} ${lacking.join(', ')}: it is no form of esta measure --form`,
      `Needed are ${required.join(', ')}; columns are ${columns.join(', ')}.`,
    );
  }
  return content.map((entry, index) => {
    const where = `${file}, row ${index + 1}`;
    return { ...parseRow(entry, where), where };
  });
}

function parseRow(entry: unknown, where: string): z.output<typeof row> {
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

/** Which of two times were meant cannot be told. */
export function refuseTwice(rows: readonly Row[], file: string): void {
  const twice = rows.find(({ stitch, batch }, index) =>
    rows.slice(0, index).some((other) => other.stitch === stitch && other.batch === batch),
  );
  if (!twice) return;
  throw new RequestError(
    `${file} has two rows of stitch ${twice.stitch} with batch ${twice.batch}; expected one of each stitch and batch`,
    'Leave the right one. Times of two devices or runtimes go into two files, imported under two names of --machine.',
  );
}
