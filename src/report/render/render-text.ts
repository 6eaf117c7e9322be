/** Tables for a terminal: aligned columns, light rules, no colour. */
import { type Column, displayedRows, notesOf, type Table } from './table.js';

const gap = '  ';

/**
 * @param width characters of a line; a table that is wider is broken into panels that repeat the text columns.
 * Default: never broken.
 */
export function renderText(table: Table, width = Number.POSITIVE_INFINITY): string {
  const rows = displayedRows(table);
  const widths = table.columns.map((column, index) =>
    Math.max(column.label.length, ...rows.map((row) => row[index]!.length)),
  );
  const panels = panelsOf(table.columns, widths, width).map((panel) => {
    const line = (cells: readonly string[]) =>
      panel
        .map((index) => pad(cells[index]!, widths[index]!, table.columns[index]!))
        .join(gap)
        .trimEnd();
    const rule = panel.map((index) => '─'.repeat(widths[index]!)).join('──');
    const body = rows.flatMap((cells, index) =>
      table.rows[index]!.startsGroup && index > 0 ? [rule, line(cells)] : [line(cells)],
    );
    return [rule, line(table.columns.map(({ label }) => label)), rule, ...body, rule].join('\n');
  });
  return [table.title, panels.join('\n\n'), ...notesOf(table)].join('\n');
}

function pad(text: string, width: number, { kind }: Column): string {
  return kind === 'text' ? text.padEnd(width) : text.padStart(width);
}

/** Column indices of each panel: the leading text columns, then as many further columns as fit (at least one). */
function panelsOf(columns: readonly Column[], widths: readonly number[], width: number): number[][] {
  const firstNumber = columns.findIndex(({ kind }) => kind === 'number');
  const labels = columns.map((_, index) => index).slice(0, firstNumber === -1 ? columns.length : firstNumber);
  const used = (panel: readonly number[]) =>
    panel.reduce((sum, index) => sum + widths[index]! + gap.length, -gap.length);
  const panels: number[][] = [[...labels]];
  for (let index = labels.length; index < columns.length; index++) {
    const panel = panels.at(-1)!;
    const fits = used([...panel, index]) <= width || panel.length === labels.length;
    if (fits) panel.push(index);
    else panels.push([...labels, index]);
  }
  return panels;
}
