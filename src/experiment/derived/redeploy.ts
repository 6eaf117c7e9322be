/**
 * Other stitches of a trained network deployed: the best one of each of so many bins of equal width of the milliseconds of a
 * machine, where a trial deploys by bins of FLOPs. Nothing is trained again; the test images only say how good they are.
 */
import { copyFile } from 'node:fs/promises';
import { type MeasuredRun, measuredBy } from '../../run-folder/measured/choice.js';
import { fingerprintOf } from '../../run-folder/measured/measurement.js';
import { measuredOn, writeMachine } from '../../run-folder/measured/measurements-folder.js';
import { trialFolderIn } from '../../run-folder/run-writer.js';
import { importanceFile } from '../../run-folder/training-journal.js';
import { RequestError } from '../../shared/errors.js';
import { exists } from '../../shared/files.js';
import type { Runtime } from '../../training/runtime.js';
import { recordedRecipe, recordRecipe } from '../recorded-recipe.js';
import { trainedFile } from '../trial/trained-file.js';
import { type DerivedTrial, derivedTrial } from './derived-trial.js';
import { chosenStitches, type Rule } from './redeployed-stitches.js';
import { choiceOf, ofTexts } from './redeployment-choice.js';
import { openSharedTrial, type SharedRuntime } from './shared-trial.js';

export interface RedeployRequest {
  /** Whose milliseconds count; needed where several machines have measured them. */
  readonly machine?: string | undefined;
  /** What makes the best stitch of a bin; default: what the trial deployed by. */
  readonly by?: Rule | undefined;
  /** Default: as many as the trial has bins of FLOPs. */
  readonly bins?: number | undefined;
  /** The run folder to be written. */
  readonly out: string;
  /** What was typed, to be recorded. */
  readonly command: string;
}

/**
 * @throws RequestError where the trial has no stitched network or no scores, and where the machine has not measured all stitches
 */
export async function redeploy(
  runtime: Runtime & SharedRuntime,
  run: MeasuredRun,
  { machine, by, bins, out, command }: RedeployRequest,
): Promise<DerivedTrial> {
  const { table, stitches } = measuredBy(run, machine);
  const { finetuned } = run.result;
  if (finetuned) {
    throw new RequestError(
      `${run.name} has trained ${run.result.variant}: there is nothing to choose from`,
      `Give the run that it comes from, of ${finetuned.from}.`,
    );
  }
  const folder = trialFolderIn(run.folder, run);
  const asked = { folder, run, table, stitches, by, bins };
  // Refused before the data set is read, which may take minutes and has notes of its own.
  const recorded = await recordedRecipe(folder);
  const early = recorded && (await choiceOf(recorded, asked));
  const shared = await openSharedTrial(run, runtime);
  if (shared.kind === 'texts') throw ofTexts(folder);
  const { stage, latencies, ...choice } = early ?? (await choiceOf(shared.recipe, asked)); // version 0.1.0 recorded none
  const { rule, count } = choice;
  const settings = { redeployed: { of: run.result.settings, rule, bins: count, latencies } };
  const request = { out, command, variant: `by ms on ${table.machine}`, settings };
  const derived = await derivedTrial(runtime, shared, request, async (trial, writer, identity) => {
    await writer.begin(trial, identity);
    const trialFolder = writer.trialFolder(trial);
    const chosen = await chosenStitches(runtime, shared, stage, { ...choice, name: run.name, trialFolder });
    await copyFile(trainedFile(shared.folder), trainedFile(trialFolder));
    // How it was trained: finetune goes on from there, and for another machine the same scores choose.
    await recordRecipe(trialFolder, shared.recipe);
    const scores = importanceFile(shared.folder);
    if (await exists(scores)) await copyFile(scores, importanceFile(trialFolder));
    const { learningRate, trainSeconds, epochs, precision, stages } = run.result;
    const training = { learningRate, trainSeconds, epochs, ...(precision && { precision }), ...(stages && { stages }) };
    const result = await writer.result(trial, { status: 'finished', ...training, ...chosen });
    await writer.status(trial, { state: 'finished', learningRate });
    return result;
  });
  const { trial, result } = derived;
  // Reports tell what one-stage deployment gives away where all stitches were evaluated: for that they need all milliseconds.
  const isKept = (id: number) => rule === 'validation' || result.stitches.some((stitch) => stitch.id === id);
  const kept = stitches.filter(({ id }) => isKept(id));
  const measured = { ...measuredOn(table, run), trial, fingerprint: fingerprintOf(result), stitches: kept };
  await writeMachine(out, { ...table, trials: [measured] });
  return derived;
}
