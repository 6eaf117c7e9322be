/**
 * Other stitches of a trained network deployed: the best one of each of so many bins of equal width of the milliseconds of a
 * machine, where a trial deploys by bins of FLOPs. Nothing is trained again; the test images only say how good they are.
 */
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { type MeasuredRun, measuredBy } from '../../run-folder/measured/choice.js';
import { fingerprintOf, latencyOf, type MachineMeasurements } from '../../run-folder/measured/measurement.js';
import { measuredOn, writeMachine } from '../../run-folder/measured/measurements-folder.js';
import { measuringCommand } from '../../run-folder/measured/measuring-command.js';
import { type EpochImportance, importanceFile } from '../../run-folder/training-journal.js';
import { stitchedStage } from '../../run-folder/trial-journal.js';
import { RequestError } from '../../shared/errors.js';
import { exists, readJsonLines } from '../../shared/files.js';
import { estaCommand, formatNextStep } from '../../shared/next-step.js';
import type { ImportanceScores } from '../../stitching/importance.js';
import type { Runtime } from '../../training/runtime.js';
import { recordRecipe } from '../recorded-recipe.js';
import { spaceOf } from '../space.js';
import { type DerivedTrial, derivedTrial } from './derived-trial.js';
import { chosenStitches, type Rule } from './redeployed-stitches.js';
import { openSharedTrial, type SharedImages, type SharedRuntime } from './shared-trial.js';

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
  const shared = await openSharedTrial(run, runtime);
  if (shared.kind === 'texts') {
    throw new RequestError(
      `${shared.folder} has trained language models, which are not deployed anew`,
      'What it deploys is chosen by bins of parameters: set sampling.bins of a new run.',
    );
  }
  const stage = shared.recipe.stages.find(({ anchor }) => anchor === undefined);
  if (!stage) {
    const command = estaCommand(
      ...['recommend', run.folder, '--trial', run.name, '--budget', '5ms', '--machine', table.machine],
    );
    throw new RequestError(
      `${run.name} has stitched nothing: all that it trained is deployed`,
      formatNextStep({
        purpose: 'Give a run of a method that stitches. Of the anchors of this one, within 5 ms:',
        command,
      }),
    );
  }
  const importance = await importanceOf(shared);
  const rule: Rule = by ?? (stage.deployment === 'importance' ? 'importance' : 'validation');
  if (rule === 'importance' && importance.scores.length === 0)
    throw new RequestError(`${run.name} has no importance scores`, 'Give --by validation.');
  const count = bins ?? shared.recipe.stitching.bins.count;
  const latencies = Object.fromEntries(stitches.map((stitch) => [stitch.id, latencyOf(stitch)]));
  const milliseconds = latenciesOf(shared, { latencies, table, run });
  const settings = { redeployed: { of: run.result.settings, rule, bins: count, latencies } };
  const request = { out, command, variant: `by ms on ${table.machine}`, settings };
  const derived = await derivedTrial(runtime, shared, request, async (trial, writer, identity) => {
    await writer.begin(trial, identity);
    const trialFolder = writer.trialFolder(trial);
    const choice = { rule, count, milliseconds, importance, name: run.name, trialFolder };
    const chosen = await chosenStitches(runtime, shared, stage, choice);
    await copyFile(path.join(shared.folder, 'trained.safetensors'), path.join(trialFolder, 'trained.safetensors'));
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

interface Measured {
  /** By stitch id. */
  readonly latencies: Readonly<Record<number, number | undefined>>;
  readonly table: MachineMeasurements;
  readonly run: MeasuredRun;
}

/** Milliseconds of every stitch, by id. */
function latenciesOf({ recipe }: SharedImages, { latencies, table, run }: Measured): number[] {
  const { space } = spaceOf(recipe.anchors, recipe.stitching, recipe.images.preprocessing.crop);
  const measured = space.stitches.flatMap(({ id }) => latencies[id] ?? []);
  if (measured.length === space.stitches.length) return measured;
  throw new RequestError(
    `${table.machine} has measured ${measured.length} of the ${space.stitches.length} stitches of ${run.name}`,
    formatNextStep({
      purpose: 'A bin of milliseconds may be best served by a stitch that is not deployed yet. Measure all of them:',
      command: measuringCommand(run, table, '--all'),
    }),
  );
}

/** The importance scores at the end of the training. */
async function importanceOf({ folder }: SharedImages): Promise<ImportanceScores> {
  const lines = await readJsonLines<EpochImportance>(importanceFile(folder));
  const scores = lines.findLast(({ stage }) => stage === stitchedStage)?.scores;
  return { eta: 0, scores: scores ?? [] };
}
