/**
 * Whole curves in a few numbers: the mean over budgets, what it differs from that of the first method, seed by seed, and
 * the largest drop from a deployed stitch to a dearer one, which a smooth curve does not have.
 */

import { distinct, groupBy } from '../../shared/groups.js';
import { sharedBudgets } from '../curves/budgets.js';
import { meanOf, numbersOf } from '../curves/curve-numbers.js';
import { datasetLabel, meanName } from '../curves/labels.js';
import { comparedTasks, type Repetition } from '../curves/repetition.js';
import { type Cell, type Column, measure, none, type Row, type Table } from '../render/table.js';

/** Undefined when no two methods have finished. */
export function curvesView(repetitions: readonly Repetition[]): Table | undefined {
  const methods = distinct(repetitions.map(({ method }) => method));
  if (methods.length < 2) return undefined;
  const [first] = methods as [string];
  const columns: Column[] = [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    { key: 'method', label: 'Method', kind: 'text' },
    { key: 'seeds', label: 'Seeds', kind: 'number', precision: 0 },
    { key: 'mean', label: 'Mean (%)', kind: 'number' },
    { key: 'difference', label: `Against ${first}`, kind: 'number' },
    { key: 'best', label: 'Best (%)', kind: 'number' },
    { key: 'drop', label: 'Largest drop', kind: 'number' },
  ];
  const rows = comparedTasks(repetitions).flatMap((tasks) => curveRows(repetitions, methods, tasks));
  const notes = [
    'mean: accuracy of the largest deployed stitch within a budget of FLOPs, over round budgets that all methods have a stitch for',
    `against ${first}: difference of these means in percentage points, of the same seeds`,
    'largest drop: percentage points from a deployed stitch to one that costs more; 0 where the curve only rises',
    '± standard deviation over seeds',
  ];
  return { name: 'curves', title: 'Curves compared', columns, rows, notes };
}

function curveRows(repetitions: readonly Repetition[], methods: readonly string[], tasks: readonly string[]): Row[] {
  const inside = repetitions.filter(({ dataset }) => tasks.includes(dataset));
  const budgets = sharedBudgets(inside);
  const bySeed = (method: string) => {
    const own = inside.filter((repetition) => repetition.method === method);
    const complete = [...groupBy(own, ({ seed }) => seed)].filter(([, curves]) => curves.length === tasks.length);
    return new Map(complete.map(([seed, curves]) => [seed, meanOf(curves.map((c) => numbersOf(c, budgets)))]));
  };
  const reference = bySeed(methods[0]!);
  const dataset = datasetLabel(meanName(tasks));
  const present = methods.map((method) => ({ method, seeds: bySeed(method) })).filter(({ seeds }) => seeds.size > 0);
  return present.map(({ method, seeds }, index): Row => {
    const all = [...seeds.values()];
    const differences = [...seeds].flatMap(([seed, { mean }]) => {
      const theirs = reference.get(seed);
      return theirs ? [mean - theirs.mean] : [];
    });
    return {
      startsGroup: index === 0,
      cells: {
        dataset,
        method,
        seeds: seeds.size,
        mean: budgets.length > 0 ? measure(all.map(({ mean }) => mean)) : none,
        difference: method === methods[0] || budgets.length === 0 ? none : differenceCell(differences),
        best: measure(all.map(({ best }) => best)),
        drop: measure(all.map(({ drop }) => drop)),
      },
    };
  });
}

function differenceCell(differences: readonly number[]): Cell {
  if (differences.length === 0) return { mark: 'missing' };
  const { mean: difference, deviation } = measure(differences);
  return { difference, deviation };
}
