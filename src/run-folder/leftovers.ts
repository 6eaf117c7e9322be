/**
 * Checkpoints, which runs go on from, and what is swept from run folders: checkpoints that have done their work, and files
 * that kills have left half written.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isHeld } from './lock.js';

/** Milliseconds after which no process is still writing a small file of a run folder. */
const surelyLeft = 60_000;
/** The same of a lock, which a process of another host may be claiming, whose clock may differ. */
const surelyLeftLock = 3_600_000;

/** The file that a run goes on from. It stays when the run is done: whoever has used its result removes it. */
export function checkpointFile(trialFolder: string, run: string): string {
  return path.join(trialFolder, checkpointName(run));
}

export function checkpointName(run: string): string {
  return `checkpoint-${run}.safetensors`;
}

/** The run of a checkpoint; undefined for the name of another file. */
export function runOfCheckpoint(name: string): string | undefined {
  return /^checkpoint-(.*)\.safetensors$/.exec(name)?.[1];
}

/**
 * Sweeps the folder of a trial that this process alone writes into.
 * @param isDone tells of a checkpoint's run whether its result is noted: "stitched-grid-0.1"
 */
export async function sweepTrial(trialFolder: string, isDone: (run: string) => boolean): Promise<void> {
  for (const name of await readdir(trialFolder)) {
    const file = path.join(trialFolder, name);
    const run = runOfCheckpoint(name);
    // Files of locks may belong to others, who are claiming it and will find it held.
    const isTemporary = name.endsWith('.tmp') && (!name.startsWith('lock.') || (await isOlder(file, surelyLeftLock)));
    if (isTemporary || (run !== undefined && isDone(run))) await rm(file, { force: true });
  }
}

/** Sweeps the folder of a finished trial, whose process may have been killed before it did; one that is read-only stays. */
export async function sweepFinished(trialFolder: string): Promise<void> {
  if (await isHeld(trialFolder)) return;
  await sweepTrial(trialFolder, () => true).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EROFS' && error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
  });
}

/** Sweeps half-written files of the run folder itself, which another process may be writing at this moment. */
export async function sweepRun(runFolder: string): Promise<void> {
  for (const name of await readdir(runFolder).catch(() => [])) {
    const file = path.join(runFolder, name);
    if (name.endsWith('.tmp') && (await isOlder(file, surelyLeft))) await rm(file, { force: true });
  }
}

async function isOlder(file: string, milliseconds: number): Promise<boolean> {
  return stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > milliseconds,
    () => false, // it has gone
  );
}
