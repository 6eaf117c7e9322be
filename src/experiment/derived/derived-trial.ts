/**
 * A trial that is made from one that has ended: its stitches trained further, or others of them deployed. It lies in a run
 * folder of its own, so that all that reads runs reads it too, and leaves the run that it comes from as it is.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Experiment } from '../../config/schema/experiment.js';
import { type Trial, trialsOf } from '../../config/trials.js';
import { computationIdentity } from '../../run-folder/identity/input-identity.js';
import { recordedIdentity, refuseOtherIdentity } from '../../run-folder/identity/recorded.js';
import type { TrialIdentity } from '../../run-folder/identity/trial-identity.js';
import { claimFolder, describeHolder } from '../../run-folder/lock.js';
import type { TrialResult } from '../../run-folder/result.js';
import { isTrained } from '../../run-folder/run-configuration.js';
import { finishedResult, openRunFolder, type RunWriter, trialFolderIn } from '../../run-folder/run-writer.js';
import { RequestError, TrialError } from '../../shared/errors.js';
import type { Runtime } from '../../training/runtime.js';
import type { SharedTrial } from './shared-trial.js';

export interface DerivedRequest {
  /** The run folder to be written. */
  readonly out: string;
  /** What was typed, to be recorded. */
  readonly command: string;
  /** What is different, for tables: "stitch 4 alone". */
  readonly variant: string;
  /** Of the training, where it is another one. */
  readonly training?: Partial<Experiment['training']>;
  /** Everything that the numbers depend on beside the shared trial; plain JSON. */
  readonly settings: object;
}

export interface DerivedTrial {
  /** Name of the trial in the folder. */
  readonly trial: string;
  readonly result: TrialResult;
}

/** Makes the trial and writes its result. */
type Make = (trial: Trial, writer: RunWriter, identity: TrialIdentity) => Promise<TrialResult>;

/**
 * Makes the trial, or reads the result of before.
 * @throws RequestError for a folder of other settings, and one that another process writes; what `make` throws
 */
export async function derivedTrial(
  { engine, progress }: Pick<Runtime, 'engine' | 'progress'>,
  {
    trial: shared,
    folder: from,
    settings: before,
    inputs,
  }: Pick<SharedTrial, 'trial' | 'folder' | 'settings' | 'inputs'>,
  { out, command, variant, training, settings: own }: DerivedRequest,
  make: Make,
): Promise<DerivedTrial> {
  const { dataset, method, seed, experiment: whole } = shared;
  const experiment = { ...whole, data: [dataset], methods: [method], seeds: [seed] };
  const changed = { ...experiment, training: { ...experiment.training, ...training } };
  const request = { given: experiment, experiment, variants: [{ name: variant, experiment: changed }] };
  const trial = trialsOf(experiment, request.variants)[0]!;
  const identity = { settings: { ...before, ...own }, computation: computationIdentity(engine), ...inputs };
  const folder = trialFolderIn(out, trial);
  // A stitch that goes on alone once more has the name of the trial that it goes on from.
  await refuseOtherRun(out, path.resolve(folder) === path.resolve(from) ? undefined : trial.name);
  const recorded = (await isTrained(folder)) ? await recordedIdentity(folder) : undefined;
  if (recorded) refuseOtherIdentity(folder, recorded, identity, inputs);
  const finished = await finishedResult(out, trial);
  if (finished) return { trial: trial.name, result: finished };

  const writer = await openRunFolder(out, request, engine, command);
  const lock = await claimFolder(folder);
  if ('heldBy' in lock) {
    throw new RequestError(
      `${folder} is being written by ${describeHolder(lock.heldBy)}`,
      'Wait until that has ended and give the same command again, or choose another folder with --out DIR.',
    );
  }
  let result: TrialResult | undefined;
  try {
    result = await make(trial, writer, identity);
    return { trial: trial.name, result };
  } catch (error) {
    progress.stop();
    if (error instanceof TrialError) {
      await writer.status(trial, { state: 'failed', learningRate: 0, error: error.message });
    }
    throw error;
  } finally {
    await lock.release(result !== undefined);
  }
}

/** @throws RequestError for a folder that holds other trials: those of the shared run, or others that were made from it */
async function refuseOtherRun(folder: string, name: string | undefined): Promise<void> {
  const trials = await readdir(path.join(folder, 'trials')).catch(() => []);
  const others = trials.filter((trial) => trial !== name);
  if (others.length === 0) return;
  throw new RequestError(
    `${folder} holds ${others[0]}: what is made from a run has a folder of its own`,
    'Choose another folder with --out DIR.',
  );
}

/**
 * The folder of what is made from a run, unless it is named: beside the run.
 * @param what for its name: `stitch-4`
 * @param trial where the run has several
 */
export function derivedFolder(runFolder: string, what: string, trial?: string): string {
  const { dir, base } = path.parse(path.resolve(runFolder));
  return path.relative('.', path.join(dir, [base, ...(trial === undefined ? [] : [trial]), what].join('-')));
}
