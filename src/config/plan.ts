/** What an experiment will do, derived from its file alone: trials, learning rates, steps, and what is missing. */
import path from 'node:path';
import { exists } from '../shared/files.js';
import { isFile } from './load.js';
import type { Dataset } from './schema/dataset.js';
import type { Experiment, Method } from './schema/experiment.js';
import { epochsOf } from './stages.js';
import { trainingImages } from './training-images.js';

/** One data set, method and seed. The grid of learning rates is a part of the trial, before its final run. */
export interface Trial {
  /** Name of the trial's folder. */
  readonly name: string;
  readonly dataset: Dataset;
  readonly method: Method;
  readonly seed: number;
  /** In an ablation, what this trial does differently: "eta 0.8". */
  readonly variant?: string;
  /** The settings of the trial. */
  readonly experiment: Experiment;
}

/** One of the settings that an ablation compares. */
export interface Variant {
  /** For tables: "eta 0.8". */
  readonly name: string;
  readonly experiment: Experiment;
}

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
  readonly status: 'planned';
  /** Epochs over all runs of the grid; 0 where there is no search. */
  readonly grid_epochs: number;
  /** Epochs of the final run; of all final runs where a method adapts anchors alone. */
  readonly epochs: number;
  /** Training steps of grid and final run; left out where the number of images is not known before reading them. */
  readonly steps?: number;
}

/** The trials of an experiment, by data set, then variant and method, then seed. */
export function trialsOf(experiment: Experiment, variants: readonly Variant[] = []): Trial[] {
  const settings = variants.length > 0 ? variants : [{ name: undefined, experiment }];
  return experiment.data.flatMap((dataset) =>
    settings.flatMap(({ name: variant, experiment }) =>
      experiment.methods.flatMap((method) =>
        experiment.seeds.map((seed) => ({
          name: [dataset.name, method, ...(variant ? [fileName(variant)] : []), `seed${seed}`].join('-'),
          dataset,
          method,
          seed,
          ...(variant && { variant }),
          experiment,
        })),
      ),
    ),
  );
}

/** "eta 0.8" -> "eta-0.8" */
function fileName(text: string): string {
  return text.replace(/[^A-Za-z0-9._]+/g, '-');
}

/** Peak learning rate = base x batch size / 256 (supplement A). */
export function peakLearningRate(base: number, batchSize: number): number {
  return (base * batchSize) / 256;
}

/** The run folder: `--out`, or runs/NAME in the working folder. */
export function runFolderOf({ name }: Pick<Experiment, 'name'>, out?: string): string {
  return path.resolve(out ?? path.join('runs', name));
}

/** Computes nothing and writes nothing; looks only whether input files are there. */
export async function planOf(
  experiment: Experiment,
  runFolder: string,
  variants: readonly Variant[] = [],
): Promise<Plan> {
  return {
    name: experiment.name,
    run: runFolder,
    base_learning_rates: experiment.training.base_learning_rates,
    trials: trialsOf(experiment, variants).map(planned),
    missing: await missingInputs(experiment),
  };
}

function planned({ name, dataset, method, seed, variant, experiment }: Trial): PlannedTrial {
  const { training } = experiment;
  const epochs = epochsOf(method, experiment);
  const gridImages = trainingImages(dataset, 'train');
  const finalImages = trainingImages(dataset, training.final_on);
  const stepsOf = (epochs: number, images: number) => epochs * Math.floor(images / training.batch_size);
  return {
    name,
    dataset: dataset.name,
    method,
    seed,
    ...(variant && { variant }),
    status: 'planned',
    grid_epochs: epochs.grid,
    epochs: epochs.final,
    ...(gridImages !== undefined &&
      finalImages !== undefined && { steps: stepsOf(epochs.grid, gridImages) + stepsOf(epochs.final, finalImages) }),
  };
}

async function missingInputs({ data, anchors }: Experiment): Promise<string[]> {
  const inputs = [
    ...data.flatMap((dataset) =>
      'root' in dataset ? [{ label: `data set ${dataset.name}`, file: dataset.root }] : [],
    ),
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
    runs > 1 ? `base learning rate: the best of ${rates} on the validation images` : `base learning rate: ${rates}`,
    '',
    ...plan.trials.map(({ name, grid_epochs, epochs, steps }) => {
      const search = grid_epochs > 0 ? `${counted(grid_epochs, 'epoch')} in ${runs} runs of the grid, then ` : '';
      return `  ${name}: ${search}${counted(epochs, 'epoch')}${steps === undefined ? '' : `, about ${counted(steps, 'step')}`}`;
    }),
    ...(plan.missing.length > 0 ? ['', 'Missing:', ...plan.missing.map((text) => `  ${text}`)] : []),
  ];
  return lines.join('\n');
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
