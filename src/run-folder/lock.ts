/**
 * Who may write into a folder: one process at a time, of any number on any number of hosts that share a file system.
 *
 * The lock is a file lock.N in the folder, and the highest N counts. It is claimed by link(2) of a complete file to the next
 * number, of which only one can succeed, also on NFS (where links are not possible, by an exclusive open). So a lock that is
 * stale is never removed to be claimed, which two could do at once: it is outnumbered. It is stale when its process is seen to
 * have ended, or when it was not touched for `staleSeconds` by the clock of the file system, whatever the clocks of hosts say.
 * A holder that was stopped for so long finds a higher number before it writes.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { RequestError, TrialError } from '../shared/errors.js';
import { exists, explainWriteError, guardWrites } from '../shared/files.js';
import { describeProcess, isGone, type ProcessMark, thisProcess } from '../shared/processes/process-mark.js';

export interface Holder extends ProcessMark {
  /** ISO 8601. */
  readonly since: string;
  readonly token: string;
  /** It has let go: the file only keeps the number. */
  readonly released?: true;
}

export interface Lock {
  /** @throws LostLock where another process has taken it over */
  check(): Promise<void>;
  /** @param forGood nobody will need the lock again: its file is removed */
  release(forGood?: boolean): Promise<void>;
}

export interface LockOptions {
  /** Between two signs of life; 0: none, for what takes moments. Default ESTA_HEARTBEAT_SECONDS, or 15. */
  readonly heartbeatSeconds?: number;
  /** All processes of a folder must agree in it. Default ESTA_STALE_SECONDS, or 120. */
  readonly staleSeconds?: number;
}

function secondsOf(variable: string, otherwise: number): number {
  const text = process.env[variable];
  if (text === undefined || text === '') return otherwise;
  if (Number(text) > 0 && Number(text) <= longest) return Number(text);
  throw new RequestError(
    `${variable}=${text}: a number of seconds above 0, at most ${longest}`,
    'Correct or unset it.',
  );
}

/** A week; Node's timers end at 24 days. */
const longest = 604_800;

const defaultHeartbeat = () => {
  const [beat, stale] = [secondsOf('ESTA_HEARTBEAT_SECONDS', 15), defaultStaleness()];
  if (beat < stale) return beat;
  throw new RequestError(
    `ESTA_HEARTBEAT_SECONDS is ${beat}, ESTA_STALE_SECONDS ${stale}: locks of processes that work would count as stale`,
    'Set ESTA_STALE_SECONDS to at least twice the other, for all processes of the folder alike.',
  );
};
const defaultStaleness = () => secondsOf('ESTA_STALE_SECONDS', 120);

/** Another process has taken over what this one was doing, because it gave no sign of life: nothing more is written. */
export class LostLock extends TrialError {
  /** @param taker undefined where it has let go already */
  constructor(
    message: string,
    hint: string,
    readonly taker: Holder | undefined,
  ) {
    super(message, hint);
  }
}

/** Another process is at it; not known where that has just let go. */
export interface HeldElsewhere {
  readonly heldBy: Holder | undefined;
}

/** The lock; or who holds it. While it is held, files in the folder are written by shared/files.ts only after a check. */
export async function claimFolder(
  folder: string,
  { heartbeatSeconds = defaultHeartbeat(), staleSeconds = defaultStaleness() }: LockOptions = {},
): Promise<Lock | { readonly heldBy: Holder }> {
  const own: Holder = { ...thisProcess(), since: new Date().toISOString(), token: randomBytes(8).toString('hex') };
  const content = `${JSON.stringify(own)}\n`;
  const temporary = path.join(folder, `lock.${own.token}.tmp`);
  const prepare = async () => {
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(temporary, content);
    } catch (error) {
      throw explainWriteError(error, temporary);
    }
  };
  await prepare();
  try {
    for (;;) {
      // Whoever has finished what the folder was for removes it whole.
      if (!(await exists(temporary))) await prepare();
      const before = await highest(folder);
      if (before > 0) {
        const holder = await holderOf(folder, before);
        if (!holder) continue; // outnumbered or released for good meanwhile
        // The temporary file was written just now, by the same clock as the lock.
        const now = await stat(temporary).catch(() => undefined);
        if (!now) continue;
        const silence = now.mtimeMs - holder.touched;
        if (!holder.released && !isGone(holder) && silence < staleSeconds * 1000) return { heldBy: holder };
      }
      const file = lockFile(folder, before + 1);
      if (!(await linked(temporary, file, content))) continue; // another one was faster
      for (let number = before; number > 0 && (await removed(lockFile(folder, number))); number--);
      return heldLock(folder, before + 1, own, content, heartbeatSeconds, staleSeconds);
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Whether a process works in the folder now. */
export async function isHeld(folder: string, options: LockOptions = {}): Promise<boolean> {
  return (await holderIn(folder, options)) !== undefined;
}

/** The process that works in the folder now. */
export async function holderIn(
  folder: string,
  { staleSeconds = defaultStaleness() }: LockOptions = {},
): Promise<Holder | undefined> {
  const number = await highest(folder);
  const holder = number > 0 ? await holderOf(folder, number) : undefined;
  if (!holder || holder.released || isGone(holder)) return undefined;
  // The clock of another host may be off: a lock that may be held counts as held.
  return Date.now() - holder.touched < staleSeconds * 2000 ? holder : undefined;
}

export function describeHolder(holder: Holder): string {
  return `${describeProcess(holder)}, since ${holder.since}`;
}

function heldLock(
  folder: string,
  number: number,
  own: Holder,
  content: string,
  heartbeatSeconds: number,
  staleSeconds: number,
): Lock {
  const file = lockFile(folder, number);
  const workerData = { file, content, seconds: heartbeatSeconds };
  const beats = () => new Worker(new URL('./heartbeat.js', import.meta.url), { workerData, execArgv: [] });
  const heart = heartbeatSeconds > 0 ? beats() : undefined;
  heart?.on('error', () => {}); // no sign of life is no failure: whoever takes over is noticed before the next write
  heart?.unref();
  const check = async () => {
    const now = await highest(folder);
    const holder = now === number ? await holderOf(folder, number) : undefined;
    if (holder?.token === own.token) return;
    const last = await highest(folder); // it may have come between the two looks
    const taker = last > number ? await holderOf(folder, last) : undefined;
    throw new LostLock(
      `${path.basename(folder)} was taken over by ${taker ? describeHolder(taker) : 'another process'}: this one had given no sign of life for ${staleSeconds} s`,
      'Nothing more is written here; the other process goes on from the last checkpoint.',
      taker,
    );
  };
  const unguard = guardWrites(folder, check);
  return {
    check,
    async release(forGood = false) {
      unguard();
      await heart?.terminate();
      const isOurs = await check().then(
        () => true,
        () => false,
      );
      if (!isOurs) return;
      if (forGood) return rm(file, { force: true });
      const temporary = path.join(folder, `lock.${own.token}.tmp`);
      await writeFile(temporary, `${JSON.stringify({ ...own, released: true })}\n`);
      await rename(temporary, file);
    },
  };
}

function lockFile(folder: string, number: number): string {
  return path.join(folder, `lock.${number}`);
}

/** Whether a file of a folder is, or was, its lock. */
export function isLockFile(name: string): boolean {
  return /^lock\.\d+$/.test(name);
}

/** 0: there is none. */
async function highest(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return Math.max(0, ...names.map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? 0)));
}

/** Undefined where the file is gone. One that is not complete yet is as young as its file. */
async function holderOf(folder: string, number: number): Promise<(Holder & { readonly touched: number }) | undefined> {
  const file = lockFile(folder, number);
  try {
    const [text, { mtimeMs: touched }] = [await readFile(file, 'utf8'), await stat(file)];
    const unknown: Holder = { host: 'unknown', pid: 0, since: new Date(touched).toISOString(), token: '' };
    return { ...unknown, ...parsed(text), touched };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parsed(text: string): Partial<Holder> {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return {};
  }
}

/** Gives a complete file its name, unless there is one. */
async function linked(temporary: string, file: string, content: string): Promise<boolean> {
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error;
  }
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(content).finally(() => handle.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removed(file: string): Promise<boolean> {
  return rm(file).then(
    () => true,
    () => false,
  );
}
