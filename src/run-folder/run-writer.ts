/** Writes a run folder (its form: run-folder/run-folder.ts) and refuses to mix two configurations in one. */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Trial, trialsOf } from '../config/trials.js';
import type { Engine } from '../engine/engine.js';
import { RequestError } from '../shared/errors.js';
import { readJson, writeJson } from '../shared/files.js';
import { writeEnvironment } from './environment.js';
import { fingerprint, identityFile, type TrialIdentity } from './identity/trial-identity.js';
import { sweepRun } from './leftovers.js';
import { claimFolder, describeHolder, type Lock } from './lock.js';
import { parseTrialResult, resultVersion, type TrialResult, type TrialStatus } from './result.js';
import { copyTrial, finishedTrials } from './reuse.js';
import { configurationOf, type RunConfiguration, type RunRequest, writeConfiguration } from './run-configuration.js';

export interface RunWriter {
  readonly folder: string;
  trialFolder(trial: Trial): string;
  /** Takes over a trial of the same identity that is finished below one of the folders; undefined where there is none. */
  takeOver(trial: Trial, identity: TrialIdentity, folders: readonly string[]): Promise<TrialResult | undefined>;
  /** Notes what the numbers of a trial depend on, before its first step, and what computes; forgets that it has failed before. */
  begin(trial: Trial, identity: TrialIdentity): Promise<void>;
  status(trial: Trial, status: Omit<TrialStatus, Identity | 'updatedAt'>): Promise<void>;
  result(trial: Trial, result: Omit<TrialResult, Identity>): Promise<TrialResult>;
}

/** What the trial itself says of a status or a result. */
type Identity = 'version' | 'dataset' | 'method' | 'variant' | 'seed' | 'configuration' | 'settings';

/** The folder of a trial in a run folder. */
export function trialFolderIn(runFolder: string, { name }: Pick<Trial, 'name'>): string {
  return path.join(runFolder, 'trials', name);
}

/** The result of a trial that was finished before; failed ones are run again. */
export async function finishedResult(runFolder: string, trial: Pick<Trial, 'name'>): Promise<TrialResult | undefined> {
  const file = path.join(trialFolderIn(runFolder, trial), 'result.json');
  if (!(await readFile(file).catch(() => undefined))) return undefined;
  const result = parseTrialResult(await readJson(file), file);
  return result.status === 'finished' ? result : undefined;
}

/** The failure of an earlier attempt is none of the one that begins. */
async function forgetFailure(trialFolder: string): Promise<void> {
  const file = path.join(trialFolder, 'result.json');
  const before = await readJson<Partial<TrialResult>>(file).catch(() => undefined);
  if (before?.status === 'failed') await rm(file, { force: true });
}

/**
 * Opens a new run folder, or one that was written for the same configuration; it may get more seeds, data sets and methods.
 * @param command what was typed, for whoever wants to go on with the run
 * @throws RequestError with what differs when it was written for another one
 */
export async function openRunFolder(
  folder: string,
  request: RunRequest,
  engine: Engine,
  command?: string,
): Promise<RunWriter> {
  await configurationOf(folder, request); // refuses before the folder is touched
  return alone(folder, async () => {
    await sweepRun(folder);
    return writerOf(folder, request, await configurationOf(folder, request), engine, command);
  });
}

/** Waits for other processes that are opening the same folder, which takes them moments. */
async function alone<T>(folder: string, open: () => Promise<T>): Promise<T> {
  const lock = await patientClaim(folder);
  try {
    return await open();
  } finally {
    await lock.release(true);
  }
}

async function patientClaim(folder: string): Promise<Lock> {
  for (let tries = 0; ; tries++) {
    const claimed = await claimFolder(folder, { heartbeatSeconds: 0, staleSeconds: 20 });
    if (!('heldBy' in claimed)) return claimed;
    if (tries === 300) {
      throw new RequestError(`${folder} is being opened by ${describeHolder(claimed.heldBy)}`, 'Try again later.');
    }
    await setTimeout(100);
  }
}

async function writerOf(
  folder: string,
  request: RunRequest,
  configuration: RunConfiguration,
  engine: Engine,
  command: string | undefined,
): Promise<RunWriter> {
  await writeConfiguration(folder, configuration);
  const names = configuration.trials.map(({ name }) => name);
  const trialFolder = (trial: Trial) => trialFolderIn(folder, trial);
  const settings = new Map<string, string>();
  let hasEnvironment = false;
  const computes = async () => {
    if (!hasEnvironment) await writeEnvironment(folder, engine, names, command);
    hasEnvironment = true;
  };
  const identityOf = ({ dataset, method, variant, seed }: Trial) => ({
    version: resultVersion as typeof resultVersion,
    dataset: dataset.name,
    method,
    ...(variant && { variant }),
    seed,
    configuration: configuration.fingerprint,
  });
  const write = (trial: Trial, name: string, content: unknown) =>
    writeJson(path.join(trialFolder(trial), name), content);
  const writer: RunWriter = {
    folder,
    trialFolder,
    takeOver: async (trial, identity, folders) => {
      const source = (await finishedTrials(folders)).get(fingerprint(identity));
      if (!source) return undefined;
      await copyTrial(source.folder, trialFolder(trial));
      await writer.begin(trial, identity);
      const { variant: _, ...numbers } = source.result; // its name in the study that it comes from
      const result = await writer.result(trial, { ...numbers, takenFrom: source.folder });
      await writer.status(trial, { state: 'finished', learningRate: result.learningRate });
      return result;
    },
    begin: async (trial, identity) => {
      await computes();
      settings.set(trial.name, fingerprint(identity));
      await forgetFailure(trialFolder(trial));
      await write(trial, identityFile, identity);
    },
    status: (trial, status) =>
      write(trial, 'status.json', { ...identityOf(trial), ...status, updatedAt: new Date().toISOString() }),
    result: async (trial, result) => {
      const known = settings.get(trial.name);
      const whole = { ...result, ...identityOf(trial), ...(known !== undefined && { settings: known }) };
      await write(trial, 'result.json', whole);
      return whole;
    },
  };
  if (!(await readFile(path.join(folder, 'environment.json')).catch(() => undefined))) await computes();
  for (const trial of trialsOf(request.experiment, request.variants)) {
    const known = await readFile(path.join(trialFolder(trial), 'status.json')).catch(() => undefined);
    if (!known || configuration.isNew) await writer.status(trial, { state: 'waiting', learningRate: 0 });
  }
  return writer;
}
