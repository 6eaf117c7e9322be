/** Trials that a run folder holds already must have been trained as is asked for now, on what lies on disk now. */
import { isTextDataset } from '../config/schema/dataset.js';
import { type Experiment, isTextExperiment } from '../config/schema/experiment.js';
import { type Trial, trialsOf, type Variant } from '../config/trials.js';
import { loadDataset } from '../data/load.js';
import type { Engine } from '../engine/engine.js';
import { recordedIdentity, refuseOtherIdentity } from '../run-folder/identity/recorded.js';
import {
  type TrialIdentity,
  type TrialInputs,
  type TrialSettings,
  trialInputs,
  trialSettings,
} from '../run-folder/identity/trial-identity.js';
import type { TrialResult } from '../run-folder/result.js';
import { refuseReuse } from '../run-folder/reuse.js';
import { isTrained } from '../run-folder/run-configuration.js';
import { finishedResult, trialFolderIn } from '../run-folder/run-writer.js';
import { RequestError } from '../shared/errors.js';
import { withAnchorNormalisation } from './anchor-normalisation.js';
import { refuseWrongInputs } from './inputs.js';
import { textsIdentity } from './text/text-inputs.js';

/** A trial that is asked for. */
export interface RequestedTrial {
  /** With the normalisation of its anchors. */
  readonly trial: Trial;
  readonly settings: TrialSettings;
  /** Of an earlier call. */
  readonly finished?: { readonly result: TrialResult; readonly note: string };
  /** What it was begun with, and still agrees with. */
  readonly recorded?: TrialIdentity;
  /** What it depends on, where that lies on disk. */
  readonly inputs: () => Promise<TrialInputs>;
}

export interface RequestedRun {
  readonly experiment: Experiment;
  readonly variants: readonly Variant[];
  readonly trials: readonly RequestedTrial[];
}

interface Surroundings {
  readonly runFolder: string;
  readonly engine: Engine;
  readonly cacheFolder: string;
  /** Folders whose finished trials are taken over; default none. */
  readonly reuse?: readonly string[];
  /** Which trials are asked for, by name; default all. */
  readonly isAsked?: ((name: string) => boolean) | undefined;
  /** Is told once what a user should know of the checkpoints. */
  readonly say: (note: string) => void;
}

/**
 * Looks into the run folder and at the inputs, and writes nothing. What is not finished needs its data and weights; what is
 * finished is compared with them as far as they are still there.
 * @throws RequestError for inputs that cannot be used, and for trials that were trained in another way
 */
export async function requestedRun(
  given: Experiment,
  givenVariants: readonly Variant[],
  { runFolder, engine, cacheFolder, say, reuse = [], isAsked = () => true }: Surroundings,
): Promise<RequestedRun> {
  const asGiven = trialsOf(given, givenVariants).filter(({ name }) => isAsked(name));
  const results = await Promise.all(asGiven.map((trial) => finishedResult(runFolder, trial)));
  const isNeeded = (name: string) => asGiven.some(({ dataset }, index) => dataset.name === name && !results[index]);
  const needed = given.data.filter(({ name }) => isNeeded(name));
  const normalised = await withAnchorNormalisation(given, say).catch((error: unknown) => {
    if (needed.length > 0 || !(error instanceof RequestError)) throw error;
    return given;
  });
  if (needed.length > 0) await refuseWrongInputs({ ...normalised, data: needed }, givenVariants);
  if (needed.length > 0) await refuseReuse(reuse);
  const variants = givenVariants.map((variant) => withPreprocessing(variant, given, normalised));
  const inputsOf = rememberingInputs(cacheFolder);
  const trials: RequestedTrial[] = [];
  for (const [index, trial] of trialsOf(normalised, variants)
    .filter(({ name }) => isAsked(name))
    .entries()) {
    const settings = trialSettings(asGiven[index]!, engine);
    const inputs = () => inputsOf(trial);
    const result = results[index];
    const folder = trialFolderIn(runFolder, trial);
    const recorded = (await isTrained(folder)) ? await recordedIdentity(folder) : undefined;
    const note = await comparedWithRecord(folder, recorded, settings, inputs, result !== undefined);
    const known = { ...(recorded && { recorded }), ...(result && { finished: { result, note } }) };
    trials.push({ trial, settings, inputs, ...known });
  }
  return { experiment: normalised, variants, trials };
}

/** Variants that say nothing of their own about images see them as the experiment does. */
function withPreprocessing(variant: Variant, given: Experiment, { preprocessing }: Experiment): Variant {
  const isSame = JSON.stringify(variant.experiment.preprocessing) === JSON.stringify(given.preprocessing);
  return isSame ? { ...variant, experiment: { ...variant.experiment, preprocessing } } : variant;
}

/** Lists each data set once for each choice of its images. */
function rememberingInputs(cacheFolder: string): (trial: Trial) => Promise<TrialInputs> {
  const known = new Map<string, Promise<TrialInputs>>();
  return (trial) => {
    const { dataset, seed, experiment } = trial;
    const key = JSON.stringify([dataset, seed, experiment.anchors, experiment.preprocessing, experiment.text]);
    const listed = async () => {
      if (isTextDataset(dataset)) return isTextExperiment(experiment) ? textsIdentity(dataset, experiment) : undefined;
      return dataset.kind === 'species' ? undefined : loadDataset(dataset, cacheFolder, { seed });
    };
    const inputs = known.get(key) ?? listed().then((data) => trialInputs(trial, data));
    known.set(key, inputs);
    return inputs;
  };
}

/** @returns what could not be compared, in words; empty where all agrees */
async function comparedWithRecord(
  trialFolder: string,
  recorded: TrialIdentity | undefined,
  settings: TrialSettings,
  inputsOf: () => Promise<TrialInputs>,
  isFinished: boolean,
): Promise<string> {
  if (!recorded) return isFinished ? ', by a version of esta that did not record with what' : '';
  refuseOtherIdentity(trialFolder, recorded, settings);
  try {
    refuseOtherIdentity(trialFolder, recorded, settings, await inputsOf().catch(notThere));
    return '';
  } catch (error) {
    if (!isFinished || !(error instanceof InputsNotThere)) throw error;
    return `; what it was trained on could not be compared again: ${error.message}`;
  }
}

class InputsNotThere extends RequestError {}

function notThere(error: unknown): never {
  throw error instanceof RequestError ? new InputsNotThere(error.message, error.hint) : error;
}
