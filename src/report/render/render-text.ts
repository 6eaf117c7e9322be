/** Tables for a terminal: aligned columns, light rules, no colour. */
import { type Column, displayedRows, notesOf, type Table } from './table.js';

const gap = '  ';
/** Characters that a text column keeps where a line is short. */
const narrowest = 12;

/**
 * @param columns characters of a line, at least 40; where a table is wider, long texts go over several lines, and the table is broken
 * into panels that repeat the leading text columns. Default: never broken. Columns of numbers are never cut.
 */
export function renderText(table: Table, columns?: number): string {
  // Terminals that do not know their width say 0.
  const width = columns ? Math.max(columns, 40) : Number.POSITIVE_INFINITY;
  const rows = displayedRows(table);
  const natural = table.columns.map(({ label }, index) => longest([label, ...rows.map((row) => row[index]!)]));
  const widths = fitted(table.columns, natural, width);
  const panels = panelsOf(table.columns, widths, width).map((panel) => {
    const lines = (cells: readonly string[]) => linesOf(panel, cells, widths, table.columns);
    const rule = panel.map((index) => '─'.repeat(widths[index]!)).join('──');
    const body = rows.flatMap((cells, index) => [
      ...(table.rows[index]!.startsGroup && index > 0 ? [rule] : []),
      ...lines(cells),
    ]);
    return [rule, ...lines(table.columns.map(({ label }) => label)), rule, ...body, rule].join('\n');
  });
  const around = (text: string) => wrapped(text, width).join('\n');
  return [around(table.title), panels.join('\n\n'), ...notesOf(table).map(around)].join('\n');
}

/** The lines of one row: more than one where a text is wrapped. */
function linesOf(
  panel: readonly number[],
  cells: readonly string[],
  widths: readonly number[],
  columns: readonly Column[],
): string[] {
  const parts = panel.map((index) =>
    columns[index]!.kind === 'text' ? wrapped(cells[index]!, widths[index]!) : [cells[index]!],
  );
  return Array.from({ length: Math.max(...parts.map(({ length }) => length)) }, (_, line) =>
    panel
      .map((index, place) => pad(parts[place]![line] ?? '', widths[index]!, columns[index]!))
      .join(gap)
      .trimEnd(),
  );
}

function pad(text: string, width: number, { kind }: Column): string {
  return kind === 'text' ? text.padEnd(width) : text.padStart(width);
}

/** At spaces; a word that is longer than a line is cut. */
function wrapped(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else {
      const pieces = Array.from({ length: Math.ceil(word.length / width) || 1 }, (_, index) =>
        word.slice(index * width, (index + 1) * width),
      );
      lines.splice(line === '' ? -1 : lines.length, line === '' ? 1 : 0, ...pieces);
    }
  }
  return lines;
}

/** Widths with the longest texts shortened until the leading text columns and any other column fit side by side. */
function fitted(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const labels = labelsOf(columns);
  const others = columns.map((_, index) => index).slice(labels.length);
  for (const other of others.length > 0 ? others : [undefined]) {
    const panel = other === undefined ? labels : [...labels, other];
    const shortest = (index: number) => Math.max(narrowest, columns[index]!.label.length);
    while (used(panel, widths) > width) {
      const texts = panel.filter((index) => columns[index]!.kind === 'text' && widths[index]! > shortest(index));
      if (texts.length === 0) break;
      const widest = texts.reduce((one, another) => (widths[another]! > widths[one]! ? another : one));
      widths[widest]! -= 1;
    }
  }
  return widths;
}

/** Column indices of each panel: the leading text columns, then as many further columns as fit (at least one). */
function panelsOf(columns: readonly Column[], widths: readonly number[], width: number): number[][] {
  const labels = labelsOf(columns);
  const panels: number[][] = [[...labels]];
  for (let index = labels.length; index < columns.length; index++) {
    const panel = panels.at(-1)!;
    const fits = used([...panel, index], widths) <= width || panel.length === labels.length;
    if (fits) panel.push(index);
    else panels.push([...labels, index]);
  }
  return panels;
}

/** What tells the rows apart: the text columns before the first number, or the number that stands first. */
function labelsOf(columns: readonly Column[]): number[] {
  const firstNumber = columns.findIndex(({ kind }) => kind === 'number');
  return columns.map((_, index) => index).slice(0, firstNumber === -1 ? columns.length : Math.max(1, firstNumber));
}

function used(panel: readonly number[], widths: readonly number[]): number {
  return panel.reduce((sum, index) => sum + widths[index]! + gap.length, -gap.length);
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length));
}
