/** What a measurement under way has noted: a line for every visit, below a line that says what is measured. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { appendJsonLine, keepJsonLines, readJsonLines } from '../../shared/files.js';

/** Times of another task are not mixed with those of this one. */
export interface MeasureTask {
  readonly trial: string;
  readonly fingerprint: string;
  readonly runtime: string;
  readonly batches: readonly number[];
  readonly rounds: number;
  readonly ids: readonly number[];
}

type Note =
  | { readonly id: number; readonly peak: number }
  | { readonly id: number; readonly batch: number; readonly round: number; readonly times: readonly number[] };

export interface MeasureJournal {
  /** Bytes; undefined where they have not been measured. */
  peak(id: number): number | undefined;
  /** Milliseconds of a visit; undefined where there was none. */
  times(id: number, batch: number, round: number): readonly number[] | undefined;
  note(note: Note): Promise<void>;
}

/** Goes on with the notes of the same task; the folder of another one is emptied. */
export async function openMeasureJournal(folder: string, task: MeasureTask): Promise<MeasureJournal> {
  const file = path.join(folder, 'notes.jsonl');
  const [before, ...noted] = await readJsonLines<unknown>(file);
  const goesOn = JSON.stringify(before) === JSON.stringify(task);
  if (goesOn) {
    await keepJsonLines(file, () => true);
  } else {
    await rm(folder, { recursive: true, force: true });
    await appendJsonLine(file, task);
  }
  const notes = goesOn ? (noted as Note[]) : [];
  const visits = new Map<string, readonly number[]>();
  const peaks = new Map<number, number>();
  const keep = (note: Note) => {
    if ('peak' in note) peaks.set(note.id, note.peak);
    else visits.set(`${note.id} ${note.batch} ${note.round}`, note.times);
  };
  for (const note of notes) keep(note);
  return {
    peak: (id) => peaks.get(id),
    times: (id, batch, round) => visits.get(`${id} ${batch} ${round}`),
    async note(note) {
      keep(note);
      await appendJsonLine(file, note);
    },
  };
}
