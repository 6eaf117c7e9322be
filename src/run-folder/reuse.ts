/**
 * Trials that another run has finished with the same settings. The studies of one experiment share them: with and without
 * distillation, eta 0.9 and the rest all compare something with ESTA as the file describes it.
 */
import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../shared/errors.js';
import { runOfCheckpoint } from './leftovers.js';
import { isLockFile } from './lock.js';
import { recordedResult, type TrialResult } from './result.js';
import { findRunFolders } from './run-folder.js';

export interface FinishedTrial {
  readonly folder: string;
  readonly result: TrialResult;
}

/**
 * The finished trials of run folders and of folders that hold run folders, by the fingerprint of their settings. What is
 * not finished or cannot be read is left out.
 * @throws RequestError where a folder does not exist or holds no run
 */
export async function finishedTrials(folders: readonly string[]): Promise<Map<string, FinishedTrial>> {
  const found = new Map<string, FinishedTrial>();
  if (folders.length === 0) return found;
  for (const run of await findRunFolders(folders)) {
    const trials = path.join(run, 'trials');
    for (const name of await readdir(trials).catch(() => [])) {
      const folder = path.join(trials, name);
      const result = await recordedResult(folder).catch(() => undefined);
      if (result?.status === 'finished' && result.settings) found.set(result.settings, { folder, result });
    }
  }
  return found;
}

/**
 * Before the run folder is written: each trial would look into them only when its turn comes.
 * @throws RequestError where a folder does not exist or holds no run
 */
export async function refuseReuse(folders: readonly string[]): Promise<void> {
  if (folders.length === 0) return;
  await findRunFolders(folders).catch((error: unknown) => {
    if (!(error instanceof RequestError)) throw error;
    throw new RequestError(
      `--reuse: ${error.message}`,
      'Name a run folder, runs/NAME by default, or a folder that holds some; or leave --reuse out.',
    );
  });
}

/**
 * Copies what a trial noted and trained into the folder of another. Its status and result are not copied, nor what a kill
 * has left of it: locks, checkpoints, and files half written.
 */
export async function copyTrial(from: string, to: string): Promise<void> {
  const own = ['status.json', 'result.json'];
  const isLeft = (name: string) =>
    isLockFile(name) || name.endsWith('.tmp') || runOfCheckpoint(name) !== undefined || own.includes(name);
  await cp(from, to, { recursive: true, filter: (file) => file === from || !isLeft(path.basename(file)) });
}
