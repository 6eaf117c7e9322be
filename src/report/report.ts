/** Builds the report of run folders in one format, and writes it beside its figure. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomic } from '../shared/files.js';
import { figurePng, figureSvg } from './figure.js';
import { renderHtml } from './html.js';
import type { PaperReference } from './paper.js';
import { renderCsv } from './render-csv.js';
import { type ReportJson, reportJson } from './render-json.js';
import { renderLatex } from './render-latex.js';
import { renderMarkdown } from './render-markdown.js';
import { renderText } from './render-text.js';
import { type ReportContent, readReportContent } from './report-content.js';
import { extensions, type ReportFormat } from './report-format.js';
import { tableOneReference } from './table-one.js';

/** Formats that stand beside a figure file; HTML has it inside, CSV and JSON are for programs. */
const illustrated: readonly ReportFormat[] = ['text', 'md', 'latex'];

export interface ReportOptions {
  /** File or folder to write to; default: nothing but the figure is written. */
  readonly out?: string | undefined;
  /** Characters of a line of text tables; default: unlimited. */
  readonly width?: number | undefined;
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
  /** What to run next. */
  readonly next: string;
}

interface Document {
  readonly name: string;
  readonly content: string;
}

/**
 * Reads the run folders and renders them; writes the document when `out` is given, and figure.svg and figure.png beside
 * it, or else into the run folder (several: into the folder that holds them).
 */
export async function buildReport(
  folders: readonly string[],
  format: ReportFormat,
  { out, width, reference = tableOneReference }: ReportOptions = {},
): Promise<Report> {
  const content = await readReportContent(folders, reference);
  const json = reportJson(content, reference);
  const svg =
    content.figure && (illustrated.includes(format) || format === 'html') ? await figureSvg(content.figure) : '';
  const target = await targetOf(out, format);
  const figureFolder = target ? path.dirname(target.file) : holdingFolder(folders);
  const figures = svg !== '' && illustrated.includes(format) ? await writeFigures(svg, figureFolder) : [];
  const documentFolder = target ? figureFolder : process.cwd();
  const links = figures.map((file) => path.relative(documentFolder, file).replaceAll(path.sep, '/'));
  const documents = documentsOf(content, json, format, { svg, links, width });
  const text = documents.map((document) => document.content).join('\n\n');
  const written: string[] = [];
  if (target) {
    for (const { name, content: part } of target.single ? [{ name: '', content: text }] : documents) {
      const file = target.single ? target.file : path.join(path.dirname(target.file), name);
      await writeAtomic(file, part.endsWith('\n') ? part : `${part}\n`);
      written.push(file);
    }
  }
  return {
    text,
    json,
    files: [...written, ...figures],
    problems: content.problems,
    next: nextAfter(content, format, written),
  };
}

/** A page that was written and shows everything is there to be opened. */
function nextAfter({ next, trials }: ReportContent, format: ReportFormat, written: readonly string[]): string {
  const complete = trials.every(({ state }) => state === 'finished');
  return format === 'html' && complete && written.length > 0 ? `open ${written[0]} in a browser` : next;
}

/** Writes figure.svg and figure.png and returns their paths. */
export async function writeFigures(svg: string, folder: string): Promise<string[]> {
  const files = { svg: path.join(folder, 'figure.svg'), png: path.join(folder, 'figure.png') };
  await writeAtomic(files.svg, svg);
  await writeAtomic(files.png, await figurePng(svg));
  return [files.svg, files.png];
}

/** `out` is a folder when it is one or has no extension: the document is then named report.<extension> in it. */
async function targetOf(
  out: string | undefined,
  format: ReportFormat,
): Promise<{ file: string; single: boolean } | undefined> {
  if (out === undefined) return undefined;
  const isFolder = await stat(out).then(
    (entry) => entry.isDirectory(),
    () => path.extname(out) === '',
  );
  return isFolder
    ? { file: path.join(out, `report.${extensions[format]}`), single: false }
    : { file: out, single: true };
}

/** The run folder, or the deepest folder that holds all of them; from the working folder where that is shorter. */
function holdingFolder(folders: readonly string[]): string {
  const [first = '.', ...others] = folders.map((folder) => path.resolve(folder));
  const outside = (folder: string, holding: string) => path.relative(holding, folder).startsWith('..');
  let holding = others.length === 0 ? first : path.dirname(first);
  while (others.some((folder) => outside(folder, holding))) holding = path.dirname(holding);
  return outside(holding, process.cwd()) ? holding : path.relative(process.cwd(), holding) || '.';
}

function documentsOf(
  content: ReportContent,
  json: ReportJson,
  format: ReportFormat,
  { svg, links, width }: { svg: string; links: readonly string[]; width: number | undefined },
): Document[] {
  const { title, tables, stitches, problems, figure } = content;
  const one = (parts: readonly string[]) => [{ name: `report.${extensions[format]}`, content: parts.join('\n\n') }];
  switch (format) {
    case 'text':
      return one([...tables.map((table) => renderText(table, width)), ...problemLines('', problems)]);
    case 'md': {
      const image = links.slice(0, 1).map((link) => `![Accuracy against FLOPs](${encodeURI(link)})`);
      return one([`# ${title}`, ...problemLines('> ', problems), ...image, ...tables.map(renderMarkdown)]);
    }
    case 'latex': {
      const image = links.slice(1).map((link) => `\\includegraphics[width=\\linewidth]{${link}}`);
      return one([...problemLines('% ', problems), ...image, ...tables.map(renderLatex)]);
    }
    case 'csv':
      return [...tables, stitches].map((table) => ({ name: `${table.name}.csv`, content: renderCsv(table) }));
    case 'html': {
      const shown = figure && { svg, data: figure };
      return one([renderHtml({ title, problems, figure: shown, tables, details: [stitches] })]);
    }
    case 'json':
      return one([JSON.stringify(json, null, 2)]);
  }
}

function problemLines(prefix: string, problems: readonly string[]): string[] {
  if (problems.length === 0) return [];
  return [problems.map((problem) => `${prefix}Note: ${problem.replaceAll('\n', `\n${prefix}`)}`).join('\n')];
}
