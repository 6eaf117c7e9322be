/**
 * Tables as RFC 4180 CSV for other programs: every row complete, decimals as displayed, marks as words. A column with
 * standard deviations is followed by a column of its own for them. Spreadsheets would compute a text that begins as a formula
 * does, such as an answer of a language model: an apostrophe, which they do not show, stands before it.
 */
import {
  type Cell,
  type Column,
  cellOf,
  type Difference,
  deviationOf,
  formatCell,
  isMark,
  type Measurement,
  type Table,
} from './table.js';

export function renderCsv(table: Table): string {
  const spread = new Set(
    table.columns.filter((column) => table.rows.some((row) => deviationOf(cellOf(row, column)) !== undefined)),
  );
  const header = table.columns.flatMap((column) =>
    spread.has(column) ? [column.label, `${column.label} std`] : [column.label],
  );
  const rows = table.rows.map((row) =>
    table.columns.flatMap((column) => {
      const cell = cellOf(row, column);
      return spread.has(column) ? [valueText(cell, column), deviationText(cell, column)] : [valueText(cell, column)];
    }),
  );
  return [header, ...rows].map((cells) => cells.map(quoted).join(',')).join('\r\n');
}

function valueText(cell: Cell, column: Column): string {
  if (isMark(cell) && cell.mark === 'none') return 'n/a';
  if (typeof cell === 'string') return /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
  const alone =
    deviationOf(cell) === undefined ? cell : { ...(cell as Measurement | Difference), deviation: undefined };
  return formatCell(alone, column);
}

function deviationText(cell: Cell, column: Column): string {
  const deviation = deviationOf(cell);
  return deviation === undefined ? 'n/a' : formatCell(deviation, column);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
