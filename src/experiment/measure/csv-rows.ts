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
 * @throws RequestError for other separators, and for a row with more cells than there are columns
 */
export async function readCsvRows(file: string): Promise<object[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw explainReadError(error, file);
  });
  const lines = text
    .replace(/^\uFEFF/, '')
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

/** How many; a comma between quotes separates nothing. */
function cellsOf(line: string): number {
  return line.replace(/"[^"]*"/g, '').split(',').length;
}
