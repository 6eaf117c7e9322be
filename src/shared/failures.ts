/**
 * What the program says when it ends badly, and its exit status:
 * 0 done; 1 a trial failed, the others still ran; 2 the request is wrong; 70 a bug (EX_SOFTWARE of sysexits.h), the only
 * case that shows a stack; 130 interrupted by Ctrl-C; 75 (EX_TEMPFAIL) stopped by the warning of a batch system, SIGUSR2.
 */
import { isExpected, messageOf, nearest } from './errors.js';

export interface Failure {
  readonly exitStatus: number;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Only of bugs. */
  readonly stack?: string;
  /** Standard output takes nothing more, not even this. */
  readonly isOfOutput?: true;
}

const bugStatus = 70;

/** Describes anything thrown by a command; undefined for oclif's own way of leaving early with status 0. */
export function failureOf(error: unknown): Failure | undefined {
  if (isExpected(error)) {
    const message = error.message.replace(/^Parsing --\S+ \n\t(.*)\nSee more help with --help$/s, '$1'); // of oclif
    return { exitStatus: error.exitStatus, message, ...(error.hint && { hint: error.hint }) };
  }
  if (isOutputError(error)) {
    return {
      exitStatus: 1,
      message: `writing failed: ${outputErrors[error.code!]} (${error.code})`,
      hint: 'Standard output may go to a full disk: free some space, or send it elsewhere.',
      isOfOutput: true,
    };
  }
  const status = oclifStatus(error);
  if (status === undefined) {
    const stack = error instanceof Error ? error.stack : undefined;
    return {
      exitStatus: bugStatus,
      message: `this is a bug: ${messageOf(error)}`,
      hint: 'Please report it, with the command and the stack.',
      ...(stack && { stack }),
    };
  }
  if ((error as { code?: unknown }).code === 'EEXIT') {
    return status === 0 ? undefined : { exitStatus: status, message: messageOf(error) };
  }
  // Everything else that oclif throws is about arguments and flags.
  const message = messageOf(error)
    .replace(/^Parsing (--\S+) \n\t/, '$1: ')
    .replace(/\nSee more help with --help$/, '')
    .replace(/\n\nNote: --[^\n]+ allows? multiple values\..*$/s, ''); // not so: flags of this program take one value each
  return { exitStatus: 2, message: message + suggestedFlag(error), hint: 'See the same command with --help.' };
}

const outputErrors: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the quota is used up',
  EIO: 'the terminal was closed',
};

/** Standard output on a full disk, or on a terminal that was closed. */
function isOutputError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  return syscall === 'write' && path === undefined && code !== undefined && code in outputErrors;
}

/** The failure as it is written to the terminal. */
export function formatFailure({ message, hint, stack }: Failure): string {
  return printable([`Error: ${message}`, ...(hint ? [hint] : []), ...(stack ? ['', stack] : [])].join('\n'));
}

/** Names out of files would otherwise colour, move or clear the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** The exit status that oclif attached; undefined when the error is not one of oclif's. */
function oclifStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('oclif' in error)) return undefined;
  const { exit } = error.oclif as { exit?: number | false };
  return typeof exit === 'number' ? exit : 2;
}

/** "did you mean" for an unknown flag. */
function suggestedFlag(error: unknown): string {
  const { flags, parse } = error as { flags?: unknown; parse?: { input?: { flags?: Record<string, unknown> } } };
  if (!Array.isArray(flags) || !parse?.input?.flags) return '';
  const known = Object.keys(parse.input.flags).map((name) => `--${name}`);
  const near = flags.map((flag) => nearest(String(flag), known)).filter((name) => name !== undefined);
  return near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
}
