/** Where engines live that `npm ci` does not bring. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { RequestError } from '../shared/errors.js';
import { explainWriteError, readJson } from '../shared/files.js';
import { describeProcess, isGone, type ProcessMark, thisProcess } from '../shared/processes/process-mark.js';

/**
 * $ESTA_ENGINES, else the user's data folder ($XDG_DATA_HOME/esta/engines, ~/.local/share/esta/engines), so that `npm ci`
 * deletes none of them and a program that others installed can have some.
 */
export function enginesFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment['ESTA_ENGINES']) return path.resolve(environment['ESTA_ENGINES']);
  return path.join(environment['XDG_DATA_HOME'] || path.join(homedir(), '.local', 'share'), 'esta', 'engines');
}

/**
 * Why an engine cannot be installed or removed, where the disk is the reason; anything else as it is.
 * @param needs space that an installation takes, a clause
 */
export function explainEngineError(error: unknown, folder: string, needs = 'an engine takes up to 1 GB'): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const elsewhere = 'or set ESTA_ENGINES to a folder elsewhere, and run the same command again';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new RequestError(`no space left on the device for ${folder}: ${needs}`, `Free some space, ${elsewhere}.`);
  }
  const explained = explainWriteError(error, folder);
  if (explained === error || !(explained instanceof RequestError)) return explained;
  return new RequestError(explained.message, `Allow writing there, ${elsewhere}.`);
}

/**
 * Does the work that makes an engine's folder, while no other process does: two would write into one download.
 * @param needs as `explainEngineError` takes it
 * @throws RequestError where another process is at it, or the disk refuses it
 */
export async function whileAlone<Made>(folder: string, work: () => Promise<Made>, needs?: string): Promise<Made> {
  try {
    return await locked(folder, work);
  } catch (error) {
    throw explainEngineError(error, folder, needs);
  }
}

async function locked<Made>(folder: string, work: () => Promise<Made>): Promise<Made> {
  const lock = `${folder}.installing`;
  await mkdir(path.dirname(folder), { recursive: true });
  const claim = () => writeFile(lock, JSON.stringify(thisProcess()), { flag: 'wx' });
  await claim().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    const holder = await readJson<ProcessMark>(lock).catch(() => undefined); // half written: it died
    if (holder && !isGone(holder)) {
      throw new RequestError(
        `${folder} is being installed by ${describeProcess(holder)}`,
        `Run the command again when that has ended; if nothing does, remove ${lock}.`,
      );
    }
    await rm(lock, { force: true });
    await claim();
  });
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}
