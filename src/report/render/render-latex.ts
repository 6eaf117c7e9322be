/** Tables as LaTeX with booktabs rules: `\usepackage{booktabs}` is all that a paper needs. */
import { displayedRows, notesOf, type Table } from './table.js';

export function renderLatex(table: Table): string {
  const line = (cells: readonly string[]) => `    ${cells.map(escaped).join(' & ')} \\\\`;
  const body = displayedRows(table).flatMap((cells, index) =>
    table.rows[index]!.startsGroup && index > 0 ? ['    \\midrule', line(cells)] : [line(cells)],
  );
  const notes = notesOf(table).map((note) => `  \\par\\footnotesize ${escaped(note)}`);
  // A wide table spans both columns of a two-column page.
  const environment = table.columns.length > 8 ? 'table*' : 'table';
  return [
    `\\begin{${environment}}`,
    '  \\centering\\small\\setlength{\\tabcolsep}{4pt}',
    `  \\caption{${escaped(table.title)}}`,
    `  \\label{tab:${table.name}}`,
    `  \\begin{tabular}{${table.columns.map(({ kind }) => (kind === 'text' ? 'l' : 'r')).join('')}}`,
    '    \\toprule',
    line(table.columns.map(({ label }) => label)),
    '    \\midrule',
    ...body,
    '    \\bottomrule',
    '  \\end{tabular}',
    ...notes,
    `\\end{${environment}}`,
  ].join('\n');
}

const replacements: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '±': '$\\pm$',
  '≤': '$\\le$',
  '°': '$^\\circ$',
  '–': '--',
  '·': '$\\cdot$',
  '→': '$\\to$',
  '<': '$<$',
  '>': '$>$',
  '|': '$|$',
  '\n': ' ',
};

/**
 * Signed numbers become `$-$0.35`, so that the minus is no hyphen. What begins with a bracket or an asterisk would be an
 * argument of the end of the row above.
 */
function escaped(text: string): string {
  return text
    .replace(/[\\~^±≤°–·→<>|\n]|[&%$#_{}]/g, (character) => replacements[character] ?? `\\${character}`)
    .replace(/^([+-])(?=\d)/, '$$$1$$')
    .replace(/^[[*]/, '{$&}');
}
