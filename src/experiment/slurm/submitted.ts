/** slurm/jobs.jsonl of a run folder: which job was given which items. What became of them is told by queue and folder. */
import path from 'node:path';
import { appendJsonLine, explainWriteError, readJsonLines } from '../../shared/files.js';
import { distinct } from '../../shared/groups.js';

export interface SubmittedJob {
  /** Number of the job, or of the array. */
  readonly job: string;
  /** By task of the array; a job that is none has one entry. */
  readonly tasks: readonly (readonly string[])[];
  readonly isArray: boolean;
}

export function slurmFolder(runFolder: string): string {
  return path.join(runFolder, 'slurm');
}

const fileOf = (runFolder: string) => path.join(slurmFolder(runFolder), 'jobs.jsonl');

export function noteSubmitted(runFolder: string, job: SubmittedJob): Promise<void> {
  return appendJsonLine(fileOf(runFolder), { ...job, submitted: new Date().toISOString() });
}

/** The jobs of tasks: "12" of "12_0" and "12_3". */
export function jobsOf(tasks: Iterable<string>): string[] {
  return distinct(Array.from(tasks, (task) => task.split('_')[0]!));
}

/**
 * The last task that each item was given to: "12_3".
 * @throws RequestError where the run folder is a file
 */
export async function tasksByItem(runFolder: string): Promise<Map<string, string>> {
  const tasks = new Map<string, string>();
  const jobs = await readJsonLines<SubmittedJob>(fileOf(runFolder)).catch((error: unknown) => {
    throw explainWriteError(error, slurmFolder(runFolder));
  });
  for (const { job, tasks: of, isArray } of jobs) {
    for (const [index, items] of of.entries()) for (const id of items) tasks.set(id, isArray ? `${job}_${index}` : job);
  }
  return tasks;
}
