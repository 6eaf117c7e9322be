/** A stitch that is trained further alone. It goes on when it was stopped. */
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import type { Runtime } from '../../training/runtime.js';
import type { Recipe } from '../recipe.js';
import { type DerivedTrial, derivedTrial } from './derived-trial.js';
import { type FinetuneOptions, finetuneRecipe } from './finetune-recipe.js';
import { countsOf, openSharedTrial, type SharedRuntime } from './shared-trial.js';
import { trainAlone } from './stitch-alone.js';

export interface FinetuneRequest extends FinetuneOptions {
  /** Id of a stitch that the run has trained. */
  readonly stitch: number;
  /** The run folder to be written. */
  readonly out: string;
  /** What was typed, to be recorded. */
  readonly command: string;
}

export interface Finetuned extends DerivedTrial {
  /** How many images, or texts, the test split has. */
  readonly tested: number;
}

/**
 * Trains the stitch further, goes on where that was stopped, or reads the result of before.
 * @throws RequestError for a folder of other settings; TrialError where it diverges; Interrupted where the user has asked to
 *   stop
 */
export async function finetune(
  runtime: Runtime & SharedRuntime,
  run: MeasuredRun,
  { stitch, out, command, ...options }: FinetuneRequest,
): Promise<Finetuned> {
  const shared = await openSharedTrial(run, runtime);
  const counts = countsOf(shared);
  const recipe = finetuneRecipe<Recipe>(shared.recipe, stitch, run.result, options, counts);
  const { final, learningRates: rates } = recipe.stages[0]!;
  const { precision: asked } = shared.trial.experiment.training;
  const derived = await derivedTrial(
    runtime,
    shared,
    {
      ...{ out, command, variant: `stitch ${stitch} alone` },
      training: {
        epochs: final.epochs,
        base_learning_rates: rates.map(({ base }) => base),
        grid_epochs: final.epochs,
        ...(asked !== undefined && { precision: runtime.engine.precision }),
      },
      settings: { finetuned: { of: run.result.settings, stitch, rates, final } },
    },
    (trial, writer, identity) => trainAlone({ ...runtime, writer, identity }, trial, recipe, shared),
  );
  return { ...derived, tested: counts.test };
}
