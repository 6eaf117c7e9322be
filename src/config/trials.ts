/** The trials that an experiment file means, and the folder that they are run in. */
import path from 'node:path';
import type { DatasetConfig } from './schema/dataset.js';
import type { Experiment, Method } from './schema/experiment.js';

/** One data set, method and seed. The grid of learning rates is a part of the trial, before its final run. */
export interface Trial {
  /** Name of the trial's folder. */
  readonly name: string;
  readonly dataset: DatasetConfig;
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

/** The name of a variant that is trained for some epochs, beside others of its name that are trained for more. */
export function variantOfLength(name: string, epochs: number): string {
  return `${name} for ${epochs} epochs`;
}

/** What `variantOfLength` was given; undefined of other names. */
export function lengthOfVariant(variant: string): { readonly name: string; readonly epochs: number } | undefined {
  const [, name, epochs] = /^(.+) for (\d+) epochs$/.exec(variant) ?? [];
  return name === undefined ? undefined : { name, epochs: Number(epochs) };
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

/** The run folder: `--out`, or runs/NAME in the working folder. */
export function runFolderOf({ name }: Pick<Experiment, 'name'>, out?: string): string {
  return path.resolve(out ?? path.join('runs', name));
}
