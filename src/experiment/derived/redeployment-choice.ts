/** By what the stitches of a trained network are chosen anew: told by its recipe and the measurements, without its images. */
import type { MeasuredRun, measuredBy } from '../../run-folder/measured/choice.js';
import { latencyOf, type MachineMeasurements } from '../../run-folder/measured/measurement.js';
import { measuringCommand } from '../../run-folder/measured/measuring-command.js';
import { type EpochImportance, importanceFile } from '../../run-folder/training-journal.js';
import { stitchedStage } from '../../run-folder/trial-journal.js';
import { RequestError } from '../../shared/errors.js';
import { readJsonLines } from '../../shared/files.js';
import { estaCommand, formatNextStep } from '../../shared/next-step.js';
import type { ImportanceScores } from '../../stitching/importance.js';
import type { ImageTrialRecipe, Recipe } from '../recipe.js';
import { spaceOf } from '../space.js';
import type { Rule } from './redeployed-stitches.js';

export interface Asked extends Measured {
  /** What makes the best stitch of a bin; default: what the trial deployed by. */
  readonly by?: Rule | undefined;
  /** Default: as many as the trial has bins of FLOPs. */
  readonly bins?: number | undefined;
  /** Of the trial. */
  readonly folder: string;
}

/**
 * How stitches are chosen, by the recipe of the trial.
 * @throws RequestError where the trial has nothing to choose from, or not what is needed to choose by
 */
export async function choiceOf(recipe: Recipe, { folder, by, bins, ...measured }: Asked) {
  const { run, table, stitches } = measured;
  if (!recipe.images) throw ofTexts(folder);
  const stage = recipe.stages.find(({ anchor }) => anchor === undefined);
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
  const importance = await importanceOf(folder);
  const rule: Rule = by ?? (stage.deployment === 'importance' ? 'importance' : 'validation');
  if (rule === 'importance' && importance.scores.length === 0)
    throw new RequestError(`${run.name} has no importance scores`, 'Give --by validation.');
  const count = bins ?? recipe.stitching.bins.count;
  const latencies: Latencies = Object.fromEntries(stitches.map((stitch) => [stitch.id, latencyOf(stitch)]));
  const milliseconds = millisecondsOf(recipe as ImageTrialRecipe, latencies, measured);
  return { stage, importance, rule, count, latencies, milliseconds };
}

export function ofTexts(folder: string): RequestError {
  return new RequestError(
    `${folder} has trained language models, which are not deployed anew`,
    'What it deploys is chosen by bins of parameters: set sampling.bins of a new run.',
  );
}

interface Measured {
  readonly run: MeasuredRun;
  readonly table: MachineMeasurements;
  readonly stitches: ReturnType<typeof measuredBy>['stitches'];
}

/** Milliseconds by stitch id, of those that were measured. */
type Latencies = Readonly<Record<number, number | undefined>>;

/** Milliseconds of every stitch, by id. */
function millisecondsOf(recipe: ImageTrialRecipe, latencies: Latencies, { table, run }: Measured): number[] {
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
async function importanceOf(folder: string): Promise<ImportanceScores> {
  const lines = await readJsonLines<EpochImportance>(importanceFile(folder));
  const scores = lines.findLast(({ stage }) => stage === stitchedStage)?.scores;
  return { eta: 0, scores: scores ?? [] };
}
