/**
 * Reads run folders as they are, finished or not. Nothing is computed again; whatever cannot be read is named in
 * `problems` and the rest is still reported.
 *
 *     <run>/experiment.yaml                              the resolved configuration
 *     <run>/environment.json                             the command, its trials in order, the machine
 *     <run>/trials/<trial>/{status.json, result.json}    see result.ts
 *     <run>/trials/<trial>/{metrics, tests}.jsonl        see trial-journal.ts
 *     <run>/trials/<trial>/angles.json                   see gradient-angles.ts
 *     <run>/trials/<trial>/validation.json               see validation.ts
 *     <run>/trials/<trial>/answers.json                  see language/answers.ts
 *     <run>/measurements/<machine>.json                  see measured/measurement.ts
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isExpected, messageOf, RequestError } from '../shared/errors.js';
import { exists, readJson } from '../shared/files.js';
import { estaCommand } from '../shared/next-step.js';
import { commandFromHere, experimentNameIn } from './environment.js';
import { anglesFile, parseTrialAngles } from './gradient-angles.js';
import { answersFile, parseTrialAnswers } from './language/answers.js';
import type { MachineMeasurements } from './measured/measurement.js';
import { measuredOn, readMachines } from './measured/measurements-folder.js';
import { parseTrialResult, parseTrialStatus, type TrialResult, type TrialStatus } from './result.js';
import { disagreements } from './trial-agreement.js';
import { readStitchedJournal } from './trial-journal.js';
import type { TrialRecord } from './trial-record.js';
import { parseTrialValidation, validationFile } from './validation.js';

export interface RunFolder {
  readonly folder: string;
  readonly name: string;
  /** What was typed to make it, so that it can go on where it lies now; undefined where it is not recorded. */
  readonly command: string | undefined;
  readonly trials: readonly TrialRecord[];
  /** What stitches take, on each machine that has measured them. */
  readonly machines: readonly MachineMeasurements[];
  /** What a reader of the report has to know, one sentence each. */
  readonly problems: readonly string[];
}

const experimentFile = 'experiment.yaml';
const trialsFolder = 'trials';

/**
 * The run folders among `folders`; one that holds run folders stands for them. Throws a RequestError when a folder does
 * not exist or none is a run folder; beside a run folder, one that is not is kept: `readRunFolder` says what it lacks.
 */
export async function findRunFolders(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const kind = await stat(folder).catch(() => undefined);
    if (!kind?.isDirectory()) {
      throw new RequestError(
        `${folder} ${kind ? 'is a file, not a run folder' : 'does not exist'}`,
        'Give the folder that esta run wrote, runs/NAME by default.',
      );
    }
    const below = (await isRunFolder(folder)) ? [] : await runFoldersIn(folder);
    found.push(...(below.length > 0 ? below : [folder]));
  }
  const distinct = [...new Set(found.map((folder) => path.normalize(folder)))];
  if ((await Promise.all(distinct.map(isRunFolder))).includes(true)) return distinct;
  throw new RequestError(
    `${distinct.join(', ')}: no run folder, there is neither ${experimentFile} nor ${trialsFolder}/ in it`,
    'Give the folder that esta run wrote, runs/NAME by default.',
  );
}

/** The run folders directly inside `folder`, by name; [] when it does not exist. */
export async function runFoldersIn(folder: string): Promise<string[]> {
  const names = await foldersIn(folder);
  const inside = names.map((name) => path.join(folder, name));
  const flags = await Promise.all(inside.map(isRunFolder));
  return inside.filter((_, index) => flags[index]);
}

/** Reads one run folder; never throws because of what is in it. */
export async function readRunFolder(folder: string): Promise<RunFolder> {
  const name = path.basename(path.resolve(folder));
  const problems: string[] = [];
  if (!(await isRunFolder(folder))) {
    const reason = `${folder} is not a run folder: it has neither ${experimentFile} nor ${trialsFolder}/`;
    return { folder, name, command: undefined, trials: [], machines: [], problems: [reason] };
  }
  if (!(await exists(path.join(folder, experimentFile)))) {
    problems.push(`${folder} has no ${experimentFile}: what its trials were configured to do is not known`);
  }
  const { command: typed, workingFolder, order } = await readEnvironment(folder);
  const experimentName = await experimentNameIn(path.join(folder, experimentFile));
  const command = typed === undefined ? undefined : await commandFromHere(folder, typed, experimentName, workingFolder);
  const trials: TrialRecord[] = [];
  for (const trial of inOrder(await foldersIn(path.join(folder, trialsFolder)), order)) {
    trials.push(await readTrial(name, path.join(folder, trialsFolder, trial), problems));
  }
  if (trials.length === 0) problems.push(`${folder} is a run without trials: nothing has been started`);
  const unfinished = trials.filter(({ state }) => state === 'waiting' || state === 'running').length;
  if (unfinished > 0)
    problems.push(`${folder} is not complete: ${unfinished} of ${trials.length} trials have no result`);
  problems.push(...disagreements(trials).map((problem) => `${folder}: ${problem}`));
  const machines = await readMachines(folder, problems);
  problems.push(...machines.flatMap((machine) => outdated(machine, trials)));
  return { folder, name, command, trials, machines, problems };
}

/** Trials that have changed since a machine has measured them: their measurements are left out. */
function outdated(machine: MachineMeasurements, trials: readonly TrialRecord[]): string[] {
  return trials.flatMap(({ name, result }) => {
    const isNamed = machine.trials.some(({ trial }) => trial === name);
    if (!result || !isNamed || measuredOn(machine, { name, result })) return [];
    return [`what ${machine.machine} has measured of ${name} is of other stitches or settings: measure it again`];
  });
}

/** The command that goes on with a run: the one that made it, where it is recorded. */
export function commandOf({ folder, command }: Pick<RunFolder, 'folder' | 'command'>): string {
  return command ?? estaCommand('run', path.join(folder, experimentFile), '--out', folder);
}

interface RecordedCommand {
  /** The command line that made the run folder, and where it was typed. */
  readonly command: string | undefined;
  readonly workingFolder: string | undefined;
  /** Names of its trials in the order of the experiment. */
  readonly order: readonly string[];
}

async function readEnvironment(folder: string): Promise<RecordedCommand> {
  const file = path.join(folder, 'environment.json');
  const environment = await readJson<Readonly<Record<string, unknown>> | null>(file).catch(() => null);
  const { command, working_folder: workingFolder, trials } = environment ?? {};
  return {
    command: typeof command === 'string' ? command : undefined,
    workingFolder: typeof workingFolder === 'string' ? workingFolder : undefined,
    order: Array.isArray(trials) ? trials.filter((name) => typeof name === 'string') : [],
  };
}

/** Tables start with what the experiment names first; trials that it does not name follow by name. */
function inOrder(names: readonly string[], order: readonly string[]): string[] {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return names.toSorted((a, b) => place(a) - place(b));
}

async function readTrial(run: string, folder: string, problems: string[]): Promise<TrialRecord> {
  const complaints: string[] = [];
  const status = await readPart(path.join(folder, 'status.json'), parseTrialStatus, complaints);
  const result = await readPart(path.join(folder, 'result.json'), parseTrialResult, complaints);
  problems.push(...complaints);
  const journal = await readStitchedJournal(folder).catch((error: Error) => {
    problems.push(`the journal of ${folder} cannot be read: ${error.message}`);
    return undefined;
  });
  const angles = await readPart(path.join(folder, anglesFile), parseTrialAngles, problems);
  const validation = await readPart(path.join(folder, validationFile), parseTrialValidation, problems);
  const answers = await readPart(path.join(folder, answersFile), parseTrialAnswers, problems);
  const identity = result ?? status;
  return {
    run,
    name: path.basename(folder),
    identity,
    configuration: identity?.configuration,
    result: result?.status === 'finished' ? result : undefined,
    status,
    journal,
    angles,
    validation,
    ...(answers && { answers }),
    ...conclusion(status, result, complaints),
  };
}

/** A readable result decides; then the status; a trial that says it has finished and has no result is unreadable. */
function conclusion(
  status: TrialStatus | undefined,
  result: TrialResult | undefined,
  complaints: readonly string[],
): Pick<TrialRecord, 'state' | 'error'> {
  if (result) return { state: result.status, error: result.error };
  if (complaints.length > 0) return { state: 'unreadable', error: complaints[0] };
  if (!status) return { state: 'waiting', error: undefined };
  if (status.state === 'finished') return { state: 'unreadable', error: 'result.json is missing' };
  return { state: status.state, error: status.error };
}

async function readPart<T>(
  file: string,
  parse: (content: unknown, file: string) => T,
  complaints: string[],
): Promise<T | undefined> {
  if (!(await exists(file))) return undefined;
  try {
    return parse(await readJson<unknown>(file), file);
  } catch (error) {
    if (!isExpected(error) && !(error as NodeJS.ErrnoException).code) throw error;
    complaints.push(messageOf(error));
    return undefined;
  }
}

async function isRunFolder(folder: string): Promise<boolean> {
  return (await exists(path.join(folder, experimentFile))) || (await exists(path.join(folder, trialsFolder)));
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
