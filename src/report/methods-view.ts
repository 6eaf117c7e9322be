/**
 * Methods at matched FLOPs: for each budget the accuracy of the largest deployed stitch within it, as somebody who
 * deploys would choose; mean and standard deviation over the seeds, and the mean over all data sets.
 */
import { groupBy } from './groups.js';
import { datasetLabel, flopsUnit, meanLabel, methodLabel } from './labels.js';
import { accuracyWithin, type Repetition } from './repetition.js';
import type { Trial } from './run-folder.js';
import { type Cell, type Column, type MarkKind, measure, type Row, type Table } from './table.js';

/** Undefined when there is nothing to compare: one method on one data set. */
export function methodsView(repetitions: readonly Repetition[], trials: readonly Trial[]): Table | undefined {
  const methods = distinct(repetitions.map(({ method }) => method));
  const datasets = distinct(repetitions.map(({ dataset }) => dataset));
  if (methods.length * datasets.length < 2) return undefined;
  const budgets = budgetsOf(repetitions);
  const unit = flopsUnit(budgets);
  const columns: Column[] = [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    { key: 'method', label: 'Method', kind: 'text' },
    { key: 'seeds', label: 'Seeds', kind: 'number', precision: 0 },
    ...budgets.map((budget): Column => {
      return { key: `${budget}`, label: `≤ ${budget / unit.size} ${unit.symbol}`, kind: 'number' };
    }),
  ];
  const row = (dataset: string, method: string, startsGroup: boolean, bySeed: readonly Repetition[][]): Row => {
    const absent: Cell = { mark: absenceOf(dataset, method, trials) };
    const cells = budgets.map((budget): [string, Cell] => {
      const values = bySeed.map((tasks) => meanWithin(tasks, budget)).filter((value) => value !== undefined);
      if (values.length > 0) return [`${budget}`, measure(values)];
      return [`${budget}`, bySeed.length > 0 ? { mark: 'none' } : absent];
    });
    return {
      startsGroup,
      cells: { dataset: datasetLabel(dataset), method, seeds: bySeed.length, ...Object.fromEntries(cells) },
    };
  };
  const rows = datasets.flatMap((dataset) =>
    methods.map((method, index) => {
      const found = repetitions.filter((repetition) => repetition.dataset === dataset && repetition.method === method);
      return row(
        dataset,
        method,
        index === 0,
        found.map((repetition) => [repetition]),
      );
    }),
  );
  const notes = [
    'accuracy (%) of the largest deployed stitch within each budget of FLOPs; mean ± standard deviation over seeds',
  ];
  if (datasets.length > 1) {
    const common = datasets.filter((dataset) =>
      methods.every((method) => repetitions.some((r) => r.dataset === dataset && r.method === method)),
    );
    const label = meanLabel(common);
    rows.push(
      ...methods.map((method, index) => {
        const tasks = repetitions.filter((r) => r.method === method && common.includes(r.dataset));
        const seeds = [...groupBy(tasks, ({ seed }) => seed).values()];
        return row(
          label,
          method,
          index === 0,
          seeds.filter((seed) => seed.length === common.length),
        );
      }),
    );
    if (common.length < datasets.length) {
      notes.push(
        `the mean leaves out what some method has not finished: ${datasets.filter((d) => !common.includes(d)).join(', ')}`,
      );
    }
  }
  return { name: 'methods', title: 'Methods at matched FLOPs', columns, rows, notes };
}

/** Mean over tasks of one seed; undefined unless every task has a stitch that fits. */
function meanWithin(tasks: readonly Repetition[], budget: number): number | undefined {
  const values = tasks.map((task) => accuracyWithin(task, budget));
  return values.some((value) => value === undefined) ? undefined : measure(values as number[]).mean;
}

/** At most ten round budgets, from the first that some stitch fits to the first that all fit. */
function budgetsOf(repetitions: readonly Repetition[]): number[] {
  const flops = repetitions.flatMap(({ stitches }) => stitches.filter((s) => s.deployed).map((s) => s.flops));
  const [low, high] = [Math.min(...flops), Math.max(...flops)];
  const step = roundStep((high - low) / 8 || high);
  const budgets: number[] = [];
  for (let index = Math.ceil(low / step); (index - 1) * step < high; index++) budgets.push(index * step);
  return budgets;
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `size`. */
function roundStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= size * (1 - 1e-9))!;
}

function absenceOf(dataset: string, method: string, trials: readonly Trial[]): MarkKind {
  const states = trials
    .filter(({ identity }) => identity?.dataset === dataset && method.startsWith(methodLabel(identity.method)))
    .map(({ state }) => state);
  if (states.some((state) => state === 'failed' || state === 'unreadable')) return 'failed';
  return states.includes('running') ? 'running' : 'missing';
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
