/** Methods that were trained for several lengths, and what each length of training gives. */
import { lengthOfVariant } from '../../config/trials.js';
import type { TrialResult } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { distinct, groupBy } from '../../shared/groups.js';
import { sharedBudgets } from '../curves/budgets.js';
import { type CurveNumbers, meanOf, numbersOf } from '../curves/curve-numbers.js';
import { areDifferentTasks, meanName } from '../curves/labels.js';
import { mean, type Repetition, repetitionsOf } from '../curves/repetition.js';
import { type Measurement, measure } from '../render/table.js';
import { commonDatasets } from '../views/methods-view.js';

/** One method trained for some epochs on a data set, or the mean over several data sets; over its seeds. */
export interface TrainedLength {
  readonly dataset: string;
  readonly method: string;
  readonly epochs: number;
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
export function longestOf(trials: readonly TrialRecord[]): TrialRecord[] {
  const lengths = trials.flatMap(({ identity }) => lengthOf(identity) ?? []);
  const most = new Map<string, number>();
  for (const { name, epochs } of lengths) most.set(name, Math.max(epochs, most.get(name) ?? 0));
  return trials.filter(({ identity }) => {
    const length = lengthOf(identity);
    return length === undefined || length.epochs === most.get(length.name);
  });
}

/** By data set and method, the shortest first; [] where nothing was trained for several lengths. */
export function trainedLengthsOf(trials: readonly TrialRecord[]): TrainedLength[] {
  const finished = trials.filter(({ result }) => lengthOf(result) !== undefined);
  const names = distinct(finished.map(({ result }) => lengthOf(result)!.name));
  const isVaried = names.some((name) => {
    const own = finished.filter(({ result }) => lengthOf(result)!.name === name);
    return new Set(own.map(({ result }) => lengthOf(result)!.epochs)).size > 1;
  });
  if (!isVaried) return [];
  const curves = repetitionsOf(finished);
  const all = finished.map(({ result }, index) => ({ result: result!, curve: curves[index]! }));
  const datasets = distinct(all.map(({ curve }) => curve.dataset));
  const common = commonDatasets(curves, distinct(curves.map(({ method }) => method)), datasets);
  const groups = [...datasets.map((dataset) => [dataset]), ...(areDifferentTasks(common) ? [common] : [])];
  return groups.flatMap((tasks) => {
    const inside = all.filter(({ curve }) => tasks.includes(curve.dataset));
    const budgets = sharedBudgets(inside.map(({ curve }) => curve));
    const byMethod = names.map((name) => inside.filter(({ result }) => lengthOf(result)!.name === name));
    return byMethod.flatMap((own) => {
      const byLength = groupBy(own, ({ result }) => lengthOf(result)!.epochs);
      return [...byLength.values()]
        .flatMap((same) => lengthRow(same, tasks, budgets))
        .sort((a, b) => a.epochs - b.epochs);
    });
  });
}

/** @param same trials of one method and length, of all seeds and of these data sets */
function lengthRow(
  same: readonly { readonly result: TrialResult; readonly curve: Repetition }[],
  tasks: readonly string[],
  budgets: readonly number[],
): TrainedLength[] {
  const seeds = [...groupBy(same, ({ curve }) => curve.seed).values()].filter(({ length }) => length === tasks.length);
  if (seeds.length === 0 || budgets.length === 0) return [];
  const numbers = seeds.map((trials) => meanOf(trials.map(({ curve }) => numbersOf(curve, budgets))));
  const over = (key: keyof CurveNumbers) => measure(numbers.map((curve) => curve[key]));
  const { name, epochs } = lengthOf(same[0]!.result)!;
  return [
    {
      ...{ dataset: tasks.length > 1 ? meanName(tasks) : tasks[0]!, method: name, epochs },
      seconds: measure(seeds.map((trials) => mean(trials.map(({ result }) => result.trainSeconds)))),
      ...{ mean: over('mean'), best: over('best'), drop: over('drop') },
    },
  ];
}

function lengthOf(trial: { readonly variant?: string } | undefined): Length | undefined {
  return trial?.variant === undefined ? undefined : lengthOfVariant(trial.variant);
}
