/**
 * The one table type of the report. Views fill it, renderers (`render-*.ts`) show it as text, markdown, CSV, LaTeX or
 * HTML. A cell without a value carries a mark that says why: never a blank, never a zero.
 */
import { mean } from '../../shared/groups.js';

/** Why a cell has no value. */
export type MarkKind = 'missing' | 'failed' | 'running' | 'none';

/** Mean over `count` repetitions and their sample standard deviation; `deviation` is undefined for one repetition. */
export interface Measurement {
  readonly mean: number;
  readonly deviation: number | undefined;
  readonly count: number;
}

/** A number shown with its sign; the deviation is that of repetitions, where there are several. */
export interface Difference {
  readonly difference: number;
  readonly deviation?: number | undefined;
}

export interface Mark {
  readonly mark: MarkKind;
}

/** Of a cell whose number does not exist. */
export const none: Mark = { mark: 'none' };

export type Cell = string | number | Measurement | Difference | Mark;

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly kind: 'text' | 'number';
  /** Decimals of a number; default 2. */
  readonly precision?: number;
  /** Text that people read once: repeated values of a group are left out where a table is looked at (not in CSV). */
  readonly grouping?: boolean;
}

export interface Row {
  /** Cells by column key; a key that is not there is shown as missing. */
  readonly cells: Readonly<Record<string, Cell>>;
  /** A rule is drawn above the row. */
  readonly startsGroup?: boolean;
}

export interface Table {
  /** Name for files and JSON, e.g. `table-one`. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

const markTexts: Record<MarkKind, string> = { missing: 'missing', failed: 'failed', running: 'running', none: '–' };

const markMeanings: Record<MarkKind, string> = {
  missing: 'missing: the trial has not been run',
  failed: 'failed: the trial did not finish',
  running: 'running: the trial has started and has no result yet',
  none: '–: there is no such number',
};

export function isMark(cell: Cell): cell is Mark {
  return typeof cell === 'object' && 'mark' in cell;
}

/** Sample standard deviation over repetitions; undefined where there is none. */
export function deviationOf(cell: Cell): number | undefined {
  return typeof cell === 'object' && 'deviation' in cell ? cell.deviation : undefined;
}

/** The cell of a row, or the mark `missing`. */
export function cellOf(row: Row, column: Column): Cell {
  return row.cells[column.key] ?? { mark: 'missing' };
}

/** A cell as plain text with the decimals of its column. */
export function formatCell(cell: Cell, { precision = 2 }: Pick<Column, 'precision'>): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return cell.toFixed(precision);
  if (isMark(cell)) return markTexts[cell.mark];
  const value = 'difference' in cell ? formatDifference(cell.difference, precision) : cell.mean.toFixed(precision);
  return cell.deviation === undefined ? value : `${value} ± ${cell.deviation.toFixed(precision)}`;
}

function formatDifference(difference: number, precision: number): string {
  const size = Math.abs(difference).toFixed(precision);
  if (Number(size) === 0) return size; // a zero has no sign
  return difference < 0 ? `-${size}` : `+${size}`;
}

/**
 * All rows as text for a table that is looked at: repeated text of grouping columns is left out inside a group, and ends of
 * lines and other control characters, which instructions and answers may hold, are spaces.
 */
export function displayedRows(table: Table): string[][] {
  return table.rows.map((row, index) => {
    const above = row.startsGroup ? undefined : table.rows[index - 1];
    return table.columns.map((column) => {
      const text = formatCell(cellOf(row, column), column);
      const repeated = column.grouping && above && formatCell(cellOf(above, column), column) === text;
      return repeated ? '' : text.replace(/\p{Cc}+/gu, ' ');
    });
  });
}

/** The notes of the table, then what the marks in it mean. */
export function notesOf(table: Table): string[] {
  const used = new Set<MarkKind>();
  for (const row of table.rows) {
    for (const column of table.columns) {
      const cell = cellOf(row, column);
      if (isMark(cell)) used.add(cell.mark);
    }
  }
  return [...table.notes, ...[...used].map((mark) => markMeanings[mark])];
}

/** Mean and sample standard deviation; throws on an empty list. */
export function measure(values: readonly number[]): Measurement {
  if (values.length === 0) throw new RangeError('the mean of no values');
  const middle = mean(values);
  if (values.length === 1) return { mean: middle, deviation: undefined, count: 1 };
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return { mean: middle, deviation: Math.sqrt(squares / (values.length - 1)), count: values.length };
}
