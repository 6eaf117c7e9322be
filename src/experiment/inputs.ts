/** The checks of an experiment's data sets, before the run folder is made and before the first trial trains. */
import { isTextDataset } from '../config/schema/dataset.js';
import { type Experiment, isTextExperiment } from '../config/schema/experiment.js';
import type { Variant } from '../config/trials.js';
import { problemsOf } from '../data/check-inputs.js';
import { refuseOtherConfiguration } from '../run-folder/run-configuration.js';
import { RequestError } from '../shared/errors.js';
import { learningStitched } from './method.js';
import { neededData, type Plan } from './plan.js';
import { imageRecipeOf } from './recipe.js';
import { architecturesOf, checkSpace } from './space.js';

/**
 * What is wrong with the data sets, in words; the same for `--dry-run` and for a run.
 * @param variants what an ablation compares, in place of the experiment as it is
 */
export async function inputProblems(experiment: Experiment, variants: readonly Variant[] = []): Promise<string[]> {
  const settings = settingsOf(experiment, variants);
  if (isTextExperiment(experiment)) {
    const { textProblems } = await import('./text/text-inputs.js'); // a plan of images need not wait for it to load
    return textProblems(experiment.data.filter(isTextDataset), experiment);
  }
  const images = experiment.data.filter((dataset) => !isTextDataset(dataset));
  return problemsOf(images, {
    batchSize: Math.max(...settings.map(({ training }) => training.batch_size)),
    seeds: [...new Set(settings.flatMap(({ seeds }) => seeds))],
    resize: Math.max(...settings.map(resizeOf)),
    needsValidation: settings.some(
      (setting) =>
        setting.training.base_learning_rates.length > 1 ||
        setting.methods
          .map((method) => learningStitched(method, setting))
          .some((stitched) => stitched?.deployment === 'validation' || stitched?.leavesOutBeaten),
    ),
  });
}

/** Pixels of the shorter edge, or of both. */
function resizeOf(experiment: Experiment): number {
  const { anchors, preprocessing } = experiment;
  return imageRecipeOf(experiment, architecturesOf(anchors, preprocessing.crop)[0]!).preprocessing.resize!.size;
}

function settingsOf(experiment: Experiment, variants: readonly Variant[]): readonly Experiment[] {
  return variants.length > 0 ? variants.map((variant) => variant.experiment) : [experiment];
}

/** @throws RequestError that names all problems with the data at once, or what is wrong with the stitch space */
export async function refuseWrongInputs(experiment: Experiment, variants: readonly Variant[]): Promise<void> {
  for (const setting of settingsOf(experiment, variants)) checkSpace(setting);
  const problems = await inputProblems(experiment, variants);
  if (problems.length === 0) return;
  const list = problems.map((text) => `  ${text}`).join('\n');
  throw new RequestError(
    problems.length === 1 ? problems[0]! : `${problems.length} problems with the data:\n${list}`,
    'Nothing was trained or written. esta data list says where data sets come from, esta data check looks into one.',
  );
}

/**
 * A plan with everything that is wrong with its data sets.
 * @throws RequestError where the run folder was written for another configuration, or the stitch space is wrong
 * @returns also the exit status: 2 where a data set that is there cannot be used, 0 also where one is yet to be downloaded
 */
export async function checkedPlan(
  plan: Plan,
  experiment: Experiment,
  variants: readonly Variant[] = [],
): Promise<{ plan: Plan; exitStatus: 0 | 2 }> {
  await refuseOtherConfiguration(plan.run, experiment, variants);
  for (const setting of settingsOf(experiment, variants)) checkSpace(setting);
  const data = neededData(experiment, plan.trials);
  const found = data.length > 0 ? await inputProblems({ ...experiment, data }, variants) : [];
  const problems = found.filter((problem) => !plan.missing.includes(problem));
  return { plan: { ...plan, missing: [...plan.missing, ...problems] }, exitStatus: problems.length > 0 ? 2 : 0 };
}
