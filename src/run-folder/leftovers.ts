/** What kills leave behind in run folders: half-written files, and checkpoints that have done their work. */
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isHeld } from './lock.js';

/** Files of a run folder itself may be written by another process at this moment. */
const surelyLeft = 60_000;

/**
 * Sweeps the folder of a trial that this process alone writes into.
 * @param isDone tells of a checkpoint's run whether its result is noted: "stitched-grid-0.1"
 */
export async function sweepTrial(trialFolder: string, isDone: (run: string) => boolean): Promise<void> {
  for (const name of await readdir(trialFolder)) {
    const run = /^checkpoint-(.*)\.safetensors$/.exec(name)?.[1];
    // Files of locks belong to others, who are claiming it and will find it held.
    const isTemporary = name.endsWith('.tmp') && !name.startsWith('lock.');
    if (isTemporary || (run !== undefined && isDone(run))) await rm(path.join(trialFolder, name), { force: true });
  }
}

/** Sweeps the folder of a finished trial, whose process may have been killed before it did; one that is read-only stays. */
export async function sweepFinished(trialFolder: string): Promise<void> {
  if (await isHeld(trialFolder)) return;
  await sweepTrial(trialFolder, () => true).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EROFS' && error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
  });
}

/** Sweeps half-written files of the run folder itself. */
export async function sweepRun(runFolder: string): Promise<void> {
  for (const name of await readdir(runFolder).catch(() => [])) {
    if (!name.endsWith('.tmp')) continue;
    const file = path.join(runFolder, name);
    const age = await stat(file).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > surelyLeft) await rm(file, { force: true });
  }
}
