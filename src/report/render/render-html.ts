/** Tables as HTML. */
import { type Cell, cellOf, displayedRows, isMark, notesOf, type Table } from './table.js';

export function renderHtmlTable(table: Table): string {
  const texts = displayedRows(table);
  const body = table.rows.map((row, index) => {
    const cells = table.columns.map((column, position) => {
      const tag = column.kind === 'text' && position === 0 ? 'th scope="row"' : 'td';
      const text = escapeHtml(texts[index]![position]!);
      return `<${tag}${classOf(cellOf(row, column), column.kind)}>${text}</${tag.slice(0, 2)}>`;
    });
    return `<tr${row.startsGroup ? ' class="group"' : ''}>${cells.join('')}</tr>`;
  });
  const head = table.columns.map(({ label, kind }) => `<th scope="col" class="${kind}">${escapeHtml(label)}</th>`);
  const notes = notesOf(table).map((note) => `<li>${escapeHtml(note)}</li>`);
  return [
    '<div class="scroll" tabindex="0" role="region" aria-label="Table">',
    `<table id="${table.name}"><caption>${escapeHtml(table.title)}</caption>`,
    `<thead><tr>${head.join('')}</tr></thead>`,
    `<tbody>${body.join('\n')}</tbody></table></div>`,
    ...(notes.length > 0 ? [`<ul class="notes">${notes.join('')}</ul>`] : []),
  ].join('\n');
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}

function classOf(cell: Cell, kind: string): string {
  return isMark(cell) ? ` class="${kind} mark-${cell.mark}"` : ` class="${kind}"`;
}
