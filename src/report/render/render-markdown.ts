/** Tables as GitHub-flavoured markdown. */
import { displayedRows, notesOf, type Table } from './table.js';

export function renderMarkdown(table: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const body = [
    line(table.columns.map(({ label }) => escaped(label))),
    line(table.columns.map(({ kind }) => (kind === 'text' ? ':---' : '---:'))),
    ...displayedRows(table).map((cells) => line(cells.map(escaped))),
  ];
  const notes = notesOf(table).map((note) => `- ${escaped(note)}`);
  return [`### ${escaped(table.title)}`, body.join('\n'), ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n');
}

function escaped(text: string): string {
  return text.replace(/[\\|*_<>`[\]]/g, (character) => `\\${character}`).replace(/\s*\n\s*/g, ' ');
}
