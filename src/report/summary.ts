/** What a run prints when it ends. */

import { tableOneReference } from './paper/table-one.js';
import { renderText } from './render/render-text.js';
import { drawFigures, writeFigures } from './report.js';
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
  const files = await writeFigures(await drawFigures(figures.slice(0, 1)), runFolder);
  return { text: [...tables.map((table) => renderText(table, width)), ...problems].join('\n\n'), files };
}
