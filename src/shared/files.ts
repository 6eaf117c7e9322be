/** File habits of a run: nothing half-written is ever visible under its final name. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, readFile as readFileThen } from 'node:fs';
import { lstat, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { RequestError, TrialError } from './errors.js';

/** Takes half the time of the one of node:fs/promises, which counts where thousands of small files are listed. */
const readSmallFile = promisify(readFileThen);

const guards = new Map<string, () => Promise<void>>();

/**
 * Lets `check` refuse whatever this process is about to write into a folder, by throwing.
 * @returns ends it
 */
export function guardWrites(folder: string, check: () => Promise<void>): () => void {
  const guarded = path.resolve(folder);
  guards.set(guarded, check);
  return () => void guards.delete(guarded);
}

async function askGuard(file: string): Promise<void> {
  if (guards.size > 0) await guards.get(path.dirname(path.resolve(file)))?.();
}

/**
 * Writes to a temporary name beside `file`, flushes, then renames; makes the folder. A link stays, and what it leads to is
 * replaced. A full disk is a TrialError; a device or a pipe a RequestError, since a file would take its place.
 */
export async function writeAtomic(named: string, content: string | Uint8Array | readonly Uint8Array[]): Promise<void> {
  const file = await replaceable(named);
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await askGuard(file);
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(temporary, 'w');
    try {
      for (const part of Array.isArray(content) ? content : [content]) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await askGuard(file); // a large file takes its time
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // a path through a file has no temporary name either
    throw explainWriteError(error, file);
  }
}

/** @returns the file that is replaced @throws RequestError for what is no file */
async function replaceable(file: string): Promise<string> {
  if (file.endsWith(path.sep)) throw noFileName(file);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined || found.isFile()) return file;
  const target = found.isSymbolicLink() ? await realpath(file).catch(() => undefined) : file;
  if (target === undefined) {
    throw new RequestError(`${file} is a link that leads nowhere`, 'Remove it, or make what it leads to.');
  }
  const kind = await stat(target);
  if (kind.isFile() || kind.isDirectory()) return target; // of a folder the writing says more
  throw new RequestError(
    `${file} is a device, a pipe or a socket, and would be replaced by a file`,
    'Name a file; what a command prints is on standard output, and --json makes it JSON.',
  );
}

/** Appends one JSON line. */
export async function appendJsonLine(file: string, value: unknown): Promise<void> {
  try {
    await askGuard(file);
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(file, 'a');
    try {
      await askGuard(file); // again, right before the line: this process may have been stopped meanwhile
      await handle.writeFile(`${JSON.stringify(value)}\n`);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explainWriteError(error, file);
  }
}

/**
 * Reads JSON lines. What a kill or a power loss leaves at the end is dropped: a line that was cut, or is no JSON. Missing
 * file: [].
 * @throws RequestError for such a line before others
 */
export async function readJsonLines<T>(file: string): Promise<T[]> {
  const text = await readSmallFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw failedDevice(error, `${file} cannot be read`) ?? error;
  });
  const lines = text.split('\n');
  lines.pop(); // what follows the last newline is empty, or the line that a kill cut
  const values = lines.map((line) => parsed<T>(line));
  const whole = values.slice(0, values.findLastIndex((value) => value !== undefined) + 1);
  const damaged = whole.indexOf(undefined);
  if (damaged === -1) return whole as T[];
  throw new RequestError(
    `${file}, line ${damaged + 1} is no JSON, and others follow it`,
    'The file is damaged: restore it, or remove its folder and run the same command again.',
  );
}

/** undefined for what is no JSON. */
function parsed<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}

/** Writes JSON lines, atomically as `writeAtomic`. */
export function writeJsonLines(file: string, values: readonly unknown[]): Promise<void> {
  return writeAtomic(file, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

/**
 * Drops the JSON lines that `keep` refuses, and a last line cut by a kill, which the next one would continue. Missing
 * file: nothing to do.
 */
export async function keepJsonLines<T>(file: string, keep: (line: T) => boolean): Promise<void> {
  if (!(await exists(file))) return;
  await writeJsonLines(file, (await readJsonLines<T>(file)).filter(keep));
}

/** Whether there is a file or folder of this name. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Reads a JSON file that must exist. */
export async function readJson<T>(file: string): Promise<T> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new RequestError(`${file} does not exist`);
    throw explainReadError(error, file);
  });
  try {
    return JSON.parse(text.replace(/^\ufeff/, '')) as T; // Windows marks what it saves as UTF-8
  } catch (error) {
    throw new RequestError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
}

/** Writes a JSON file that people read too, indented, as `writeAtomic`. */
export function writeJson(file: string, value: unknown): Promise<void> {
  return writeAtomic(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** What to check where a file cannot be read, by the code of the system. */
const readAdvice: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path: there is no such file.',
  ENOTDIR: 'Check the path: a part of it is a file, not a folder.',
  EISDIR: 'Give the file, not the folder.',
  EACCES: 'Check the permissions of the file, and of the folders above it.',
  EPERM: 'Check the permissions of the file, and of the folders above it.',
  ENAMETOOLONG: 'Check the path: it is longer than this file system allows.',
};

/** A file that cannot be read, as a RequestError; where a disk has failed, as a TrialError. */
export function explainReadError(error: NodeJS.ErrnoException, file: string): RequestError | TrialError {
  const { code = '', message } = error;
  const failed = failedDevice(error, `${file} cannot be read`);
  const advice = readAdvice[code] ?? 'Check that the path is right, and that other programs here can open the file.';
  return failed ?? new RequestError(`${file} cannot be read (${code || message})`, advice);
}

/** A full disk as a TrialError, a folder that may not be written as a RequestError; anything else as it is. */
export function explainWriteError(error: unknown, file: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TrialError(
      `no space left on the device while writing ${file}`,
      'Free some space and run the same command again; what trains goes on from its last checkpoint.',
    );
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new RequestError(
      `${path.dirname(file)} cannot be a folder: it, or a part of its path, is a file`,
      'Choose another folder, or move that file away.',
    );
  }
  if (code === 'ENOENT' || code === 'ELOOP') {
    // Making a folder in one that may not be written says the same.
    const refusal = refusalOf(existingAbove(file));
    if (refusal) return unwritable(file, refusal);
    return new RequestError(
      `${path.dirname(file)} is not there: it was removed, or a part of its path is a link that leads nowhere`,
      'Remove that link, or choose another folder.',
    );
  }
  if (code === 'ENAMETOOLONG') {
    return new RequestError(
      `${file} cannot be written: a name in its path is longer than this file system allows`,
      'Choose shorter names.',
    );
  }
  if (code === 'EISDIR') return noFileName(file);
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return unwritable(file, code);
  return failedDevice(error, `${file} cannot be written`) ?? error;
}

function unwritable(file: string, code: string): RequestError {
  return new RequestError(
    `${file} cannot be written (${code})`,
    `Allow writing into ${path.dirname(file)}, or choose another folder.`,
  );
}

/** The nearest folder above a file that is there. */
function existingAbove(file: string): string {
  const folder = path.dirname(path.resolve(file));
  return existsSync(folder) || folder === path.dirname(folder) ? folder : existingAbove(folder);
}

/** Why nothing may be written into a folder. */
function refusalOf(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

function noFileName(folder: string): RequestError {
  return new RequestError(
    `${folder} is a folder, and would be a file`,
    `Name a file in it: ${path.join(folder, 'NAME')}`,
  );
}

/** Of a disk, or of the server of a shared folder. */
const deviceErrors: Readonly<Record<string, string>> = {
  EIO: 'input/output error',
  ESTALE: 'the server of the shared folder has forgotten the file',
  ETIMEDOUT: 'the server of the shared folder does not answer',
};

function failedDevice(error: unknown, what: string): TrialError | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  const meaning = deviceErrors[code];
  return meaning === undefined
    ? undefined
    : new TrialError(`${what}: ${meaning} (${code})`, 'Run the same command again once the disk or its server works.');
}
