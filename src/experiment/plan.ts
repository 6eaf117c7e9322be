/** What an experiment will do, derived from its file alone: trials with their recipes, and what is missing. */

import { isFile } from '../config/load.js';
import {
  type DatasetConfig,
  type ImageDatasetConfig,
  isTextDataset,
  type TextDatasetConfig,
} from '../config/schema/dataset.js';
import type { Experiment, Method } from '../config/schema/experiment.js';
import { trainingImages, trainingListOf } from '../config/training-images.js';
import { type Trial, trialsOf, type Variant } from '../config/trials.js';
import { chosenBy, listWhole } from '../data/load.js';
import { readLines } from '../data/official/readers/text-table.js';
import { counted } from '../shared/costs/numbers.js';
import { RequestError } from '../shared/errors.js';
import { exists } from '../shared/files.js';
import { countImages, epochsOf, type ImageCounts, type Recipe, recipeOf, unknownImages } from './recipe.js';

/** `esta run --dry-run --json` prints it as it is. */
export interface Plan {
  readonly name: string;
  /** The run folder. */
  readonly run: string;
  /** Base learning rates of the grid; a single one is used without a search. */
  readonly base_learning_rates: readonly number[];
  readonly trials: readonly PlannedTrial[];
  /** Inputs that are not there, in words. */
  readonly missing: readonly string[];
}

export interface PlannedTrial {
  readonly name: string;
  readonly dataset: string;
  readonly method: Method;
  readonly seed: number;
  readonly variant?: string;
  /** `finished`: in the run folder already, and not run again. */
  readonly status: 'planned' | 'finished';
  /** Epochs over all runs of the grid; 0 where there is no search. */
  readonly grid_epochs: number;
  /** Epochs of the final run; of all final runs where a method adapts anchors alone. */
  readonly epochs: number;
  /** Training steps of grid and final run; left out where the number of images is not known before reading them. */
  readonly steps?: number;
  /** Steps are left out of it where the number of images is not known before reading them. */
  readonly recipe: Recipe<number | undefined>;
}

export interface PlanOptions {
  /** Names of trials that the run folder holds finished: what they were trained on need not be there any more. */
  readonly finished?: ReadonlySet<string>;
  /** Whether folders of images are walked, so that their steps are known; default false. */
  readonly countsFolders?: boolean;
}

/**
 * Computes nothing and writes nothing; looks whether input files are there, and how long lists of training images are.
 * @throws RequestError for anchors that are not known or cannot be stitched
 */
export async function planOf(
  experiment: Experiment,
  runFolder: string,
  variants: readonly Variant[] = [],
  { finished, countsFolders = false }: PlanOptions = {},
): Promise<Plan> {
  const trials: PlannedTrial[] = [];
  const countsOf = new Map<string, Promise<ImageCounts<number | undefined>>>();
  for (const trial of trialsOf(experiment, variants)) {
    const { dataset, seed } = trial;
    // Seeds draw other images, of a list of their own also another number.
    const key = JSON.stringify([dataset, trainingListOf(dataset, seed)]);
    const counts = countsOf.get(key) ?? imageCounts(dataset, seed, countsFolders);
    countsOf.set(key, counts);
    trials.push(planned(trial, await counts, finished?.has(trial.name) ?? false));
  }
  const data = neededData(experiment, trials);
  return {
    name: experiment.name,
    run: runFolder,
    base_learning_rates: experiment.training.base_learning_rates,
    trials,
    missing: data.length > 0 ? await missingInputs({ data, anchors: experiment.anchors }) : [],
  };
}

/** The data sets without those whose trials are all finished. */
export function neededData({ data }: Pick<Experiment, 'data'>, trials: Plan['trials']): Experiment['data'] {
  return data.filter(({ name }) => {
    const own = trials.filter(({ dataset }) => dataset === name);
    return own.length === 0 || own.some(({ status }) => status !== 'finished');
  });
}

function planned(trial: Trial, counts: ImageCounts<number | undefined>, isFinished: boolean): PlannedTrial {
  const { name, dataset, method, seed, variant } = trial;
  const recipe = recipeOf(trial, counts);
  const epochs = epochsOf(recipe);
  const steps = stepsOf(recipe);
  return {
    name,
    dataset: dataset.name,
    method,
    seed,
    ...(variant && { variant }),
    status: isFinished ? 'finished' : 'planned',
    grid_epochs: epochs.grid,
    epochs: epochs.final,
    ...(steps !== undefined && { steps }),
    recipe,
  };
}

/** As many as are known before images are read. */
async function imageCounts(
  dataset: DatasetConfig,
  seed: number,
  countsFolders: boolean,
): Promise<ImageCounts<number | undefined>> {
  if (isTextDataset(dataset)) return textCounts(dataset);
  if (dataset.kind === 'image-folder') return countsFolders ? folderCounts(dataset, seed) : unknownImages;
  const list = trainingListOf(dataset, seed);
  const isThere = list !== undefined && (await exists(list));
  if (list !== undefined && !isThere) return unknownImages;
  const listed = isThere ? (await readLines(list)).length : undefined;
  return {
    train: trainingImages(dataset, 'train', listed),
    'train+validation': trainingImages(dataset, 'train+validation', listed),
  };
}

/** Unknown where the folder is not as it has to be, which is told apart from the plan. */
async function folderCounts(dataset: ImageDatasetConfig, seed: number): Promise<ImageCounts<number | undefined>> {
  try {
    return countImages((await chosenBy(dataset, await listWhole(dataset), seed)).splits);
  } catch (error) {
    if (error instanceof RequestError) return unknownImages;
    throw error;
  }
}

function textCounts(dataset: TextDatasetConfig): ImageCounts<number | undefined> {
  if (dataset.kind === 'instructions') return unknownImages;
  const { train_texts: train, validation_texts: validation } = dataset;
  return { train, 'train+validation': train + validation };
}

/** Over all trainings of a trial. */
function stepsOf({ stages }: Recipe<number | undefined>): number | undefined {
  let sum = 0;
  for (const { grid, final, learningRates } of stages) {
    if (final.steps === undefined || (grid && grid.steps === undefined)) return undefined;
    sum += final.steps + (grid?.steps ?? 0) * learningRates.length;
  }
  return sum;
}

async function missingInputs({ data, anchors }: Pick<Experiment, 'data' | 'anchors'>): Promise<string[]> {
  const inputs = [
    ...data.flatMap((dataset) => {
      const file = 'root' in dataset ? dataset.root : 'file' in dataset ? dataset.file : undefined;
      return file === undefined ? [] : [{ label: `data set ${dataset.name}`, file }];
    }),
    ...anchors
      .filter(({ checkpoint }) => isFile(checkpoint))
      .map(({ name, checkpoint }) => ({ label: `checkpoint of anchor ${name}`, file: checkpoint })),
  ];
  const found = await Promise.all(inputs.map(({ file }) => exists(file)));
  return inputs.filter((_, index) => !found[index]).map(({ label, file }) => `${label}: ${file} is not there`);
}

/** The plan for people. */
export function formatPlan(plan: Plan): string {
  const { length: runs } = plan.base_learning_rates;
  const rates = plan.base_learning_rates.join(', ');
  const lines = [
    `${plan.name}: ${counted(plan.trials.length, 'trial')}, run folder ${plan.run}`,
    runs > 1 ? `base learning rate: the best of ${rates} on the validation split` : `base learning rate: ${rates}`,
    '',
    ...plan.trials.map(({ name, status, grid_epochs, epochs, steps }) => {
      if (status === 'finished') return `  ${name}: finished before`;
      const search = grid_epochs > 0 ? `${counted(grid_epochs, 'epoch')} in ${runs} runs of the grid, then ` : '';
      return `  ${name}: ${search}${counted(epochs, 'epoch')}${steps === undefined ? '' : `, about ${counted(steps, 'step')}`}`;
    }),
    ...(plan.missing.length > 0 ? ['', 'Missing:', ...plan.missing.map((text) => `  ${text}`)] : []),
  ];
  return lines.join('\n');
}
