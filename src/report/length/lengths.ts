/** Methods that were trained for several lengths, and what each length of training gives. */
import { lengthOfVariant } from '../../config/trials.js';
import type { TrialResult } from '../../run-folder/result.js';
import { distinct, groupBy, mean } from '../../shared/groups.js';
import { sharedBudgets } from '../curves/budgets.js';
import { type CurveNumbers, meanOf, numbersOf } from '../curves/curve-numbers.js';
import { meanName } from '../curves/labels.js';
import type { NamedTrial } from '../curves/method-names.js';
import { comparedTasks, type Repetition, repetitionsOf } from '../curves/repetition.js';
import { type Measurement, measure } from '../render/table.js';

/** One method trained for some epochs on a data set, or the mean over several data sets; over its seeds. */
export interface TrainedLength {
  readonly dataset: string;
  readonly method: string;
  readonly epochs: number;
  /** How many have finished. */
  readonly seeds: number;
  /** Of all trainings that the method needs, the grid of learning rates left out. */
  readonly seconds: Measurement;
  /** Percent: mean over round budgets of FLOPs that all methods and lengths have a stitch for. */
  readonly mean: Measurement;
  readonly best: Measurement;
  /** Percentage points. */
  readonly drop: Measurement;
}

interface Length {
  readonly name: string;
  readonly epochs: number;
}

/** The trials without those whose method was trained for longer, too: what is compared at equal numbers of updates. */
export function longestOf(trials: readonly NamedTrial[]): NamedTrial[] {
  const lengths = trials.flatMap((trial) => lengthOf(trial) ?? []);
  const most = new Map<string, number>();
  for (const { name, epochs } of lengths) most.set(name, Math.max(epochs, most.get(name) ?? 0));
  return trials.filter((trial) => {
    const length = lengthOf(trial);
    return length === undefined || length.epochs === most.get(length.name);
  });
}

/** By data set and method, the shortest first; [] where nothing was trained for several lengths. */
export function trainedLengthsOf(trials: readonly NamedTrial[]): TrainedLength[] {
  const finished = trials.filter((trial) => trial.result && lengthOf(trial) !== undefined);
  const curves = repetitionsOf(finished);
  const all = finished.map(
    (trial, index): Trained => ({ result: trial.result!, length: lengthOf(trial)!, curve: curves[index]! }),
  );
  const names = distinct(all.map(({ length }) => length.name));
  // As many names as variants: each was trained for one length.
  if (distinct(curves.map(({ method }) => method)).length === names.length) return [];
  return comparedTasks(curves).flatMap((tasks) => {
    const inside = all.filter(({ curve }) => tasks.includes(curve.dataset));
    const budgets = sharedBudgets(inside.map(({ curve }) => curve));
    const byMethod = names.map((name) => inside.filter(({ length }) => length.name === name));
    return byMethod.flatMap((own) => {
      const byLength = groupBy(own, ({ length }) => length.epochs);
      return [...byLength.values()]
        .flatMap((same) => lengthRow(same, tasks, budgets))
        .sort((a, b) => a.epochs - b.epochs);
    });
  });
}

interface Trained {
  readonly result: TrialResult;
  readonly length: Length;
  readonly curve: Repetition;
}

/** @param same trials of one method and length, of all seeds and of these data sets */
function lengthRow(same: readonly Trained[], tasks: readonly string[], budgets: readonly number[]): TrainedLength[] {
  const seeds = [...groupBy(same, ({ curve }) => curve.seed).values()].filter(({ length }) => length === tasks.length);
  if (seeds.length === 0 || budgets.length === 0) return [];
  const numbers = seeds.map((trials) => meanOf(trials.map(({ curve }) => numbersOf(curve, budgets))));
  const over = (key: keyof CurveNumbers) => measure(numbers.map((curve) => curve[key]));
  const { name, epochs } = same[0]!.length;
  return [
    {
      ...{ dataset: meanName(tasks), method: name, epochs, seeds: seeds.length },
      seconds: measure(seeds.map((trials) => mean(trials.map(({ result }) => result.trainSeconds)))),
      ...{ mean: over('mean'), best: over('best'), drop: over('drop') },
    },
  ];
}

/** The name with what tells its trial apart from others. */
function lengthOf({ identity, apart }: NamedTrial): Length | undefined {
  const length = identity?.variant === undefined ? undefined : lengthOfVariant(identity.variant);
  return length && { ...length, name: `${length.name}${apart}` };
}
