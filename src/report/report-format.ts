/** The formats of a report. Loads nothing, so that commands can list them in their help. */
import path from 'node:path';

export const reportFormats = ['text', 'md', 'csv', 'latex', 'html', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export const extensions: Readonly<Record<ReportFormat, string>> = {
  text: 'txt',
  md: 'md',
  csv: 'csv',
  latex: 'tex',
  html: 'html',
  json: 'json',
};

const otherExtensions: Readonly<Record<ReportFormat, readonly string[]>> = {
  text: ['text'],
  md: ['markdown'],
  csv: [],
  latex: ['latex'],
  html: ['htm'],
  json: [],
};

/** The format that a file name asks for; undefined for none of them. */
export function formatOfFile(file: string): ReportFormat | undefined {
  const extension = path.extname(file).slice(1).toLowerCase();
  return reportFormats.find((format) => [extensions[format], ...otherExtensions[format]].includes(extension));
}
