/** The figures of a report, drawn, and written as files. */
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';
import { writeAtomic } from '../../shared/files.js';
import { figurePng, figureSvg } from './figure.js';
import type { NamedFigure } from './further-figures.js';

/** A figure as it is written and embedded. */
export interface DrawnFigure extends Pick<NamedFigure, 'name' | 'title'> {
  readonly svg: string;
}

export function drawFigures(figures: readonly NamedFigure[]): Promise<DrawnFigure[]> {
  return Promise.all(figures.map(async ({ name, title, spec }) => ({ name, title, svg: await figureSvg(spec) })));
}

interface WrittenFigures {
  /** NAME.svg and NAME.png of each figure. */
  readonly files: readonly string[];
  /** Why there are none, where they could not be written. */
  readonly problems: readonly string[];
}

/** @throws RequestError when the folder cannot be written */
export async function writeFigures(figures: readonly DrawnFigure[], folder: string): Promise<WrittenFigures> {
  const files: string[] = [];
  for (const { name, svg } of figures) {
    const file = path.join(folder, name);
    await writeAtomic(`${file}.svg`, svg);
    await writeAtomic(`${file}.png`, await figurePng(svg));
    files.push(`${file}.svg`, `${file}.png`);
  }
  return { files, problems: [] };
}

/** Nobody has asked for files: a run folder that may only be read is reported without them. */
export async function writeFiguresIfPossible(figures: readonly DrawnFigure[], folder: string): Promise<WrittenFigures> {
  try {
    return await writeFigures(figures, folder);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { files: [], problems: [`no figures: ${error.message}; --out DIR writes them elsewhere`] };
  }
}
