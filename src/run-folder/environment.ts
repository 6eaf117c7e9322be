/** environment.json of a run folder: what computed it, with which command, and its trials in the order of the experiment. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Engine } from '../engine/engine.js';
import { exists, writeJson } from '../shared/files.js';
import { commandLine, quoted, wordsOf } from '../shared/next-step.js';
import { programVersion } from '../shared/program.js';

/** @param command what was typed, for whoever wants to go on with the run */
export async function writeEnvironment(
  folder: string,
  engine: Engine,
  trials: readonly string[],
  command: string | undefined,
): Promise<void> {
  const { version: esta, ...checkout } = await programVersion();
  const environment = {
    command,
    working_folder: process.cwd(),
    esta,
    ...checkout,
    engine: engine.name,
    device: engine.device,
    precision: engine.precision,
    node: process.version,
    platform: `${os.platform()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    trials,
  };
  await writeJson(path.join(folder, 'environment.json'), environment);
}

/**
 * The command that made a run folder, as it goes on with the folder that is given: with its `--out` where it would write
 * into another one, because the folder was copied or moved.
 * @param name of the experiment, which names the folder where the command does not; undefined: not known
 * @param from folder that the command is typed in, default the working folder
 */
export function commandInto(folder: string, command: string, name?: string, from = process.cwd()): string {
  const words = wordsOf(command);
  const at = words.findLastIndex((word) => word === '--out' || word.startsWith('--out='));
  const isApart = words[at] === '--out';
  const fallback = name === undefined ? undefined : path.join('runs', name);
  const written = at < 0 ? fallback : isApart ? words[at + 1] : words[at]!.slice('--out='.length);
  if (written !== undefined && path.resolve(from, written) === path.resolve(folder)) return command;
  const others = at < 0 ? words : words.toSpliced(at, isApart ? 2 : 1);
  return commandLine(others.toSpliced(at < 0 ? others.length : at, 0, '--out', folder));
}

/**
 * The command as it goes on with the run folder from the working folder: from where it was typed, which its paths may
 * begin at, as long as that folder is there.
 * @param typedIn undefined: not known
 */
export async function commandFromHere(
  folder: string,
  command: string,
  name: string | undefined,
  typedIn: string | undefined,
): Promise<string> {
  const isElsewhere = typedIn !== undefined && typedIn !== process.cwd() && (await exists(typedIn));
  // Words are quoted for a POSIX shell, and old ones of Windows know no &&.
  if (!isElsewhere || process.platform === 'win32') return commandInto(folder, command, name);
  return `cd ${quoted(typedIn)} && ${commandInto(path.resolve(folder), command, name, typedIn)}`;
}

/** Name of the experiment of a run folder; where its file says it in another form, the command only gets longer. */
export async function experimentNameIn(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^name: ["']?([\w.-]+)["']?\s*$/m.exec(text)?.[1];
}
