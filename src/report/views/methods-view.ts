/**
 * Methods at matched FLOPs: for each budget the accuracy of the largest deployed stitch within it, as somebody who
 * deploys would choose; mean and standard deviation over the seeds, and the mean over all data sets.
 */

import { distinct, groupBy } from '../../shared/groups.js';
import { budgetsOf } from '../curves/budgets.js';
import { areDifferentTasks, datasetLabel, flopsUnit, meanName } from '../curves/labels.js';
import { accuracyWithin, commonDatasets, type Repetition } from '../curves/repetition.js';
import { type Cell, type Column, measure, none, type Row, type Table } from '../render/table.js';
import type { Unfinished } from './unfinished.js';

/** Undefined when there is nothing to compare: one method on one data set, or no finished trial. */
export function methodsView(repetitions: readonly Repetition[], unfinished: readonly Unfinished[]): Table | undefined {
  const methods = distinct([...repetitions, ...unfinished].map(({ method }) => method));
  const datasets = distinct([...repetitions, ...unfinished].map(({ dataset }) => dataset));
  if (repetitions.length === 0 || methods.length * datasets.length < 2) return undefined;
  const budgets = budgetsOf(repetitions);
  const unit = flopsUnit(budgets);
  const columns: Column[] = [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    { key: 'method', label: 'Method', kind: 'text' },
    { key: 'seeds', label: 'Seeds', kind: 'number', precision: 0 },
    ...budgets.map((budget): Column => {
      return {
        key: `${budget}`,
        label: `≤ ${Number((budget / unit.size).toPrecision(6))} ${unit.symbol}`,
        kind: 'number',
      };
    }),
  ];
  const absence = (dataset: string, method: string): Cell => {
    return { mark: unfinished.find((pair) => pair.dataset === dataset && pair.method === method)?.mark ?? 'missing' };
  };
  const rows = datasets.flatMap((dataset) =>
    methods.map((method, index): Row => {
      const seeds = repetitions.filter((repetition) => repetition.dataset === dataset && repetition.method === method);
      return {
        startsGroup: index === 0,
        cells: {
          dataset: datasetLabel(dataset),
          method,
          ...cellsWithin(
            seeds.map((repetition) => [repetition]),
            budgets,
            absence(dataset, method),
          ),
        },
      };
    }),
  );
  const notes = [
    'accuracy (%) of the largest deployed stitch within each budget of FLOPs that all seeds have one for; ± standard deviation over seeds',
  ];
  if (areDifferentTasks(datasets)) {
    const finished = distinct(repetitions.map(({ method }) => method));
    const common = commonDatasets(repetitions);
    if (areDifferentTasks(common)) rows.push(...meanRows(repetitions, finished, common, budgets));
    const left = datasets.filter((dataset) => !common.includes(dataset)).map(datasetLabel);
    if (left.length > 0) notes.push(`not in the mean, because some method has not finished there: ${left.join(', ')}`);
  }
  return { name: 'methods', title: 'Methods at matched FLOPs', columns, rows, notes };
}

function meanRows(
  repetitions: readonly Repetition[],
  methods: readonly string[],
  datasets: readonly string[],
  budgets: readonly number[],
): Row[] {
  return methods.map((method, index): Row => {
    const tasks = repetitions.filter((r) => r.method === method && datasets.includes(r.dataset));
    const seeds = [...groupBy(tasks, ({ seed }) => seed).values()].filter((seed) => seed.length === datasets.length);
    return {
      startsGroup: index === 0,
      cells: { dataset: datasetLabel(meanName(datasets)), method, ...cellsWithin(seeds, budgets, { mark: 'missing' }) },
    };
  });
}

/** @param seeds the tasks of each seed */
function cellsWithin(
  seeds: readonly (readonly Repetition[])[],
  budgets: readonly number[],
  absent: Cell,
): Record<string, Cell> {
  const cells = budgets.map((budget): [string, Cell] => {
    const values = seeds.map((tasks) => meanWithin(tasks, budget)).filter((value) => value !== undefined);
    // A mean over some of the seeds would stand beside means over all.
    if (values.length > 0 && values.length === seeds.length) return [`${budget}`, measure(values)];
    return [`${budget}`, seeds.length > 0 ? none : absent];
  });
  return { seeds: seeds.length > 0 ? seeds.length : absent, ...Object.fromEntries(cells) };
}

/** Mean over tasks of one seed; undefined unless every task has a stitch that fits. */
function meanWithin(tasks: readonly Repetition[], budget: number): number | undefined {
  const values = tasks.map((task) => accuracyWithin(task, budget));
  return values.some((value) => value === undefined) ? undefined : measure(values as number[]).mean;
}
