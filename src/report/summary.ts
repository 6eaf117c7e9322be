/** What a run prints when it ends. */

import { drawFigures, writeFiguresIfPossible } from './figures/figure-files.js';
import { tableOneReference } from './paper/table-one.js';
import { renderText } from './render/render-text.js';
import { readReportContent } from './report-content.js';

/**
 * The tables of one run folder as text; writes figure.svg and figure.png into it when a trial has finished.
 * @param width characters of a line; default: unlimited
 */
export async function renderRunSummary(
  runFolder: string,
  width?: number,
): Promise<{ readonly text: string; readonly files: readonly string[] }> {
  const { tables, problems, figures } = await readReportContent([runFolder], tableOneReference);
  const drawn = await drawFigures(figures.slice(0, 1));
  const { files, problems: unwritten } = await writeFiguresIfPossible(drawn, runFolder);
  const shown = tables.map((table) => renderText(table, width));
  return { text: [...shown, ...problems, ...unwritten].join('\n\n'), files };
}
