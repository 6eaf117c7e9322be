/** Marks that a process leaves on files, so that others can tell whether it still lives. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

export interface ProcessMark {
  readonly host: string;
  readonly pid: number;
  /** Of the system since its start: two machines may have one name. Left out where there is no /proc. */
  readonly boot?: string;
  /** Where the number of the process counts: containers of one host have their own. Left out where there is no /proc. */
  readonly namespace?: string;
  /** Start of the process in clock ticks of its host: numbers are given out again. Left out where there is no /proc. */
  readonly started?: string;
}

export function thisProcess(): ProcessMark {
  const boot = bootId();
  const namespace = pidNamespace();
  const started = statOf(process.pid)?.started;
  return {
    host: os.hostname(),
    pid: process.pid,
    ...(boot !== undefined && { boot }),
    ...(namespace !== undefined && { namespace }),
    ...(started !== undefined && { started }),
  };
}

/**
 * Whether a process has certainly ended; false of another host or container, where nothing can be seen of it, and of this one
 * before it was started anew, which another of its name could be.
 */
export function isGone({ host, pid, boot, namespace, started }: ProcessMark): boolean {
  if (host !== os.hostname() || namespace !== pidNamespace()) return false;
  if (boot !== undefined && boot !== bootId()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // EPERM: it lives, and is another user's
  }
  const found = statOf(pid);
  if (found?.state === 'Z') return true; // it has ended, and its parent has not looked
  return started !== undefined && found?.started !== started;
}

/** A mark for the names of temporary files: "1234-0a1b2c3d". */
export function shortMark(): string {
  return `${process.pid}-${place()}`;
}

/** Whether the process of such a mark has certainly ended. */
export function isShortMarkGone(mark: string): boolean {
  const [pid, where] = mark.split('-');
  const { namespace } = thisProcess();
  if (where !== place()) return false;
  return isGone({ host: os.hostname(), pid: Number(pid), ...(namespace !== undefined && { namespace }) });
}

function place(): string {
  return createHash('sha256').update(`${os.hostname()} ${pidNamespace()}`).digest('hex').slice(0, 8);
}

export function describeProcess({ host, pid }: ProcessMark): string {
  return host === os.hostname() ? `process ${pid} on this machine` : `process ${pid} on ${host}`;
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

function pidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

/** Fields 3 and 22 of /proc/PID/stat; the name of the program, field 2, may hold blanks and is in parentheses. */
function statOf(pid: number): { readonly state: string; readonly started: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0]!, started: fields[19]! };
  } catch {
    return undefined;
  }
}
