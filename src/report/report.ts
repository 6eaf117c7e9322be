/** Builds the report of run folders in one format, and writes it beside its figure. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../shared/errors.js';
import { writeAtomic } from '../shared/files.js';
import type { NextStep } from '../shared/next-step.js';
import { type DrawnFigure, drawFigures, writeFigures, writeFiguresIfPossible } from './figures/figure-files.js';
import type { PaperReference } from './paper/paper.js';
import { tableOneReference } from './paper/table-one.js';
import { renderHtml } from './render/html.js';
import { renderCsv } from './render/render-csv.js';
import { type ReportJson, reportJson } from './render/render-json.js';
import { renderLatex } from './render/render-latex.js';
import { renderMarkdown } from './render/render-markdown.js';
import { renderText } from './render/render-text.js';
import { type ReportContent, readReportContent } from './report-content.js';
import { extensions, formatOfFile, type ReportFormat } from './report-format.js';
import type { BudgetQuestion } from './views/budgets-view.js';

/** Formats that stand beside a figure file; HTML has it inside, CSV and JSON are for programs. */
const illustrated: readonly ReportFormat[] = ['text', 'md', 'latex'];

export interface ReportOptions {
  /** File or folder to write to; default: nothing but the figure is written. */
  readonly out?: string | undefined;
  /** Characters of a line of text tables; default: unlimited. */
  readonly width?: number | undefined;
  /** Budgets to be answered in a table of their own. */
  readonly question?: BudgetQuestion;
  /** Default: Table I of the supplement. */
  readonly reference?: PaperReference;
}

export interface Report {
  /** The document, for standard output when it was not written. */
  readonly text: string;
  readonly json: ReportJson;
  /** Files written, the document first. */
  readonly files: readonly string[];
  readonly problems: readonly string[];
  /** Why figures were not written. */
  readonly unwritten: readonly string[];
  /** Undefined when everything is done and shown. */
  readonly next: NextStep | undefined;
  /** The HTML page, where one was written. */
  readonly page: string | undefined;
}

interface Document {
  readonly name: string;
  readonly content: string;
}

/**
 * Reads the run folders and renders them; writes the document when `out` is given, and the figures beside it, or else
 * into the run folder (several: into the folder that holds them).
 */
export async function buildReport(
  folders: readonly string[],
  format: ReportFormat,
  { out, width, question, reference = tableOneReference }: ReportOptions = {},
): Promise<Report> {
  const content = await readReportContent(folders, reference, question);
  const json = reportJson(content, reference);
  const drawn = illustrated.includes(format) || format === 'html' ? await drawFigures(content.figures) : [];
  const target = await targetOf(out, format);
  const figureFolder = target ? path.dirname(target.file) : holdingFolder(folders);
  const wanted = illustrated.includes(format) ? drawn : [];
  const figures = await (target ? writeFigures : writeFiguresIfPossible)(wanted, figureFolder);
  const documentFolder = target ? figureFolder : process.cwd();
  const link = (name: string) => path.relative(documentFolder, path.join(figureFolder, name)).replaceAll(path.sep, '/');
  const documents = documentsOf(content, json, format, { drawn, link, width });
  const text = documents.map((document) => document.content).join('\n\n');
  const written: string[] = [];
  if (target) {
    for (const { name, content: part } of target.single ? [{ name: '', content: text }] : documents) {
      const file = target.single ? target.file : path.join(path.dirname(target.file), name);
      await writeAtomic(file, part.endsWith('\n') ? part : `${part}\n`);
      written.push(file);
    }
  }
  const isPage = format === 'html' && written.length > 0;
  return {
    text,
    json,
    files: [...written, ...figures.files],
    problems: content.problems,
    unwritten: figures.problems,
    next: isPage && isComplete(content) ? undefined : content.next,
    page: isPage ? written[0] : undefined,
  };
}

function isComplete({ trials }: ReportContent): boolean {
  return trials.every(({ state }) => state === 'finished');
}

/**
 * `out` is a folder when it is one, ends as one or has no extension: the document is named report.<extension> in it.
 * @throws RequestError when the name is that of another kind of file
 */
async function targetOf(
  out: string | undefined,
  format: ReportFormat,
): Promise<{ file: string; single: boolean } | undefined> {
  if (out === undefined) return undefined;
  const isFolder = await stat(out).then(
    (entry) => entry.isDirectory(),
    () => path.extname(out) === '' || /[\\/]$/.test(out),
  );
  if (isFolder) return { file: path.join(out, `report.${extensions[format]}`), single: false };
  if (formatOfFile(out) === format) return { file: out, single: true };
  const names = Object.values(extensions).map((extension) => `.${extension}`);
  throw new RequestError(
    `--out ${out}: a report in the format ${format} ends in .${extensions[format]}`,
    `Known are ${names.join(', ')}; a name without an extension is a folder.`,
  );
}

/** The run folder, or the deepest folder that holds all of them; from the working folder where that is shorter. */
function holdingFolder(folders: readonly string[]): string {
  const [first = '.', ...others] = folders.map((folder) => path.resolve(folder));
  const outside = (folder: string, holding: string) => path.relative(holding, folder).startsWith('..');
  let holding = others.length === 0 ? first : path.dirname(first);
  while (others.some((folder) => outside(folder, holding))) holding = path.dirname(holding);
  return outside(holding, process.cwd()) ? holding : path.relative(process.cwd(), holding) || '.';
}

interface Illustration {
  readonly drawn: readonly DrawnFigure[];
  /** From the document to a file beside the figures. */
  readonly link: (name: string) => string;
  readonly width: number | undefined;
}

function documentsOf(
  content: ReportContent,
  json: ReportJson,
  format: ReportFormat,
  { drawn, link, width }: Illustration,
): Document[] {
  const { title, tables, stitches, problems, figure } = content;
  const one = (parts: readonly string[]) => [{ name: `report.${extensions[format]}`, content: parts.join('\n\n') }];
  switch (format) {
    case 'text':
      return one([...tables.map((table) => renderText(table, width)), ...problemLines('', problems)]);
    case 'md': {
      const images = drawn.map(({ name, title }) => `![${title}](${encodeURI(link(`${name}.svg`))})`);
      return one([`# ${title}`, ...problemLines('> ', problems), ...images, ...tables.map(renderMarkdown)]);
    }
    case 'latex': {
      const images = drawn.map(({ name }) => `\\includegraphics[width=\\linewidth]{${link(`${name}.png`)}}`);
      return one([...problemLines('% ', problems), ...images, ...tables.map(renderLatex)]);
    }
    case 'csv':
      return [...tables, stitches].map((table) => ({ name: `${table.name}.csv`, content: renderCsv(table) }));
    case 'html': {
      const [curve, ...plates] = drawn;
      const shown = figure && curve && { svg: curve.svg, data: figure };
      return one([renderHtml({ title, problems, figure: shown, plates, tables, details: [stitches] })]);
    }
    case 'json':
      return one([JSON.stringify(json, null, 2)]);
  }
}

function problemLines(prefix: string, problems: readonly string[]): string[] {
  if (problems.length === 0) return [];
  return [problems.map((problem) => `${prefix}Note: ${problem.replaceAll('\n', `\n${prefix}`)}`).join('\n')];
}
