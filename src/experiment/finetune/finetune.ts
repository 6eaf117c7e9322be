/**
 * A stitch that is trained further alone. It is a trial in a run folder of its own, so that all that reads runs reads it too:
 * it has one stitch, goes on when it was stopped, and leaves the run that it comes from as it is.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { trialsOf } from '../../config/trials.js';
import { computationIdentity } from '../../run-folder/identity/input-identity.js';
import { recordedIdentity, refuseOtherIdentity } from '../../run-folder/identity/recorded.js';
import type { TrialIdentity } from '../../run-folder/identity/trial-identity.js';
import { claimFolder, describeHolder } from '../../run-folder/lock.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import type { TrialResult } from '../../run-folder/result.js';
import { isTrained, type RunRequest } from '../../run-folder/run-configuration.js';
import { finishedResult, openRunFolder, trialFolderIn } from '../../run-folder/run-writer.js';
import { RequestError, TrialError } from '../../shared/errors.js';
import type { Runtime } from '../../training/runtime.js';
import type { Recipe } from '../recipe.js';
import { countImages } from '../trial/trial-data.js';
import { type FinetuneOptions, finetuneRecipe } from './recipe.js';
import { openSharedTrial, type SharedRuntime, type SharedTrial } from './shared-trial.js';
import { trainAlone } from './training.js';

export interface FinetuneRequest extends FinetuneOptions {
  /** Id of a stitch that the run has trained. */
  readonly stitch: number;
  /** The run folder to be written. */
  readonly out: string;
  /** What was typed, to be recorded. */
  readonly command: string;
}

export interface Finetuned {
  /** Name of the trial in the folder. */
  readonly trial: string;
  readonly result: TrialResult;
  /** How many images the accuracies on the test split are of. */
  readonly testImages: number;
}

/**
 * Trains the stitch further, goes on where that was stopped, or reads the result of before.
 * @throws RequestError for a stitch that was not trained, and for a folder of other settings; TrialError where it diverges;
 *   Interrupted where the user has asked to stop
 */
export async function finetune(
  runtime: Runtime & SharedRuntime,
  run: MeasuredRun,
  { stitch, out, command, ...options }: FinetuneRequest,
): Promise<Finetuned> {
  const { engine, progress } = runtime;
  const shared = await openSharedTrial(run, runtime);
  const { dataset, inputs } = shared;
  const { splits } = dataset;
  const images = { ...countImages(splits), validation: splits.val?.length ?? 0 };
  const recipe = finetuneRecipe(shared.recipe, stitch, run.result.learningRate, options, images);
  const request = requestOf(shared, recipe, stitch);
  const [trial] = trialsOf(request.experiment, request.variants);
  const { name } = trial!;
  const learning = recipe.stages[0]!;
  const finetuned = { of: run.result.settings, stitch, rates: learning.learningRates, final: learning.final };
  const settings = { ...shared.settings, finetuned };
  const identity: TrialIdentity = { settings, computation: computationIdentity(engine), ...inputs };
  await refuseOtherRun(out, name);
  const folder = trialFolderIn(out, trial!);
  const recorded = (await isTrained(folder)) ? await recordedIdentity(folder) : undefined;
  if (recorded) refuseOtherIdentity(folder, recorded, identity, inputs);
  const done = (result: TrialResult) => ({ trial: name, result, testImages: splits.test.length });
  const finished = await finishedResult(out, trial!);
  if (finished) return done(finished);

  const writer = await openRunFolder(out, request, engine, command);
  const lock = await claimFolder(folder);
  if ('heldBy' in lock) throw new RequestError(`${folder} is being written by ${describeHolder(lock.heldBy)}`);
  let isFinished = false;
  try {
    const result = await trainAlone({ ...runtime, writer, identity }, trial!, recipe, shared);
    isFinished = true;
    return done(result);
  } catch (error) {
    progress.stop();
    if (error instanceof TrialError) {
      await writer.status(trial!, { state: 'failed', learningRate: 0, error: error.message });
    }
    throw error;
  } finally {
    await lock.release(isFinished);
  }
}

/** The experiment of the shared trial with one variant, which is trained as `recipe` says. */
function requestOf({ trial }: SharedTrial, { stages }: Recipe, stitch: number): RunRequest {
  const { dataset, method, seed, experiment: whole } = trial;
  const experiment = { ...whole, data: [dataset], methods: [method], seeds: [seed] };
  const { final, learningRates } = stages[0]!;
  const rates = { base_learning_rates: learningRates.map(({ base }) => base), grid_epochs: final.epochs };
  const training = { ...whole.training, epochs: final.epochs, ...rates };
  const name = `stitch ${stitch} alone`;
  return { given: experiment, experiment, variants: [{ name, experiment: { ...experiment, training } }] };
}

/** @throws RequestError for a folder that holds other trials: those of the shared run, or of another stitch */
async function refuseOtherRun(folder: string, name: string): Promise<void> {
  const trials = await readdir(path.join(folder, 'trials')).catch(() => []);
  const others = trials.filter((trial) => trial !== name);
  if (others.length === 0) return;
  throw new RequestError(
    `${folder} holds ${others[0]}: a stitch that is trained alone has a folder of its own`,
    'Choose another folder with --out DIR.',
  );
}

/** The folder of a fine-tuned stitch, unless it is named: beside the run. @param trial where the run has several */
export function finetunedFolder(runFolder: string, stitch: number, trial?: string): string {
  const { dir, base } = path.parse(path.resolve(runFolder));
  const name = [base, ...(trial === undefined ? [] : [trial]), `stitch-${stitch}`].join('-');
  return path.relative('.', path.join(dir, name));
}
