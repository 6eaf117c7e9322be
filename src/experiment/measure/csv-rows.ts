/**
 * The rows of a form that a spreadsheet has saved. One set to a language with decimal commas separates columns by
 * semicolons, or, asked for commas, cuts 2,05 in two cells: read as it stands that would be 2 milliseconds.
 */
import { readFile } from 'node:fs/promises';
import { RequestError } from '../../shared/errors.js';
import { explainReadError } from '../../shared/files.js';

const hint = 'Save it with commas between the columns, and write decimals with a point: 2.05.';

/**
 * Cells by the names of the first line, as texts; empty lines are left out.
 * @throws RequestError for what is no text in UTF-8, for other separators, and for a row with more cells than there are columns
 */
export async function readCsvRows(file: string): Promise<object[]> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw explainReadError(error, file);
  });
  const lines = utf8Of(bytes, file)
    .split(/\r?\n/)
    .filter((line) => !/^[,\s]*$/.test(line));
  const [header = '', ...rows] = lines;
  const other = [';', '\t'].find((separator) => header.includes(separator) && !header.includes(','));
  if (other !== undefined) {
    throw new RequestError(
      `${file} has ${other === ';' ? 'semicolons' : 'tabs'} between its columns, not commas`,
      hint,
    );
  }
  const columns = cellsOf(header);
  for (const [index, row] of rows.entries()) {
    if (cellsOf(row) <= columns) continue;
    throw new RequestError(
      `${file}, row ${index + 1} has ${cellsOf(row)} cells, the first line names ${columns} columns: ${row}`,
      hint,
    );
  }
  const { read } = await import('vega');
  return [...(read(lines.join('\n'), { type: 'csv' }) as object[])];
}

/** Without a byte order mark. UTF-16, "Unicode text" of spreadsheets, has bytes of 0, or a mark that is no UTF-8. */
function utf8Of(bytes: Uint8Array, file: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Said below.
  }
  throw new RequestError(`${file} is no CSV in UTF-8`, 'Save it as "CSV UTF-8", with commas between the columns.');
}

/** How many; a comma between quotes separates nothing. */
function cellsOf(line: string): number {
  return line.replace(/"[^"]*"/g, '').split(',').length;
}
