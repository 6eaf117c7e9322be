/** What given budgets buy: the deployed stitch of every finished trial. */
import { chooseWithin, pricesOf } from '../../run-folder/measured/choice.js';
import { seriesOf } from '../../run-folder/result.js';
import type { RunFolder } from '../../run-folder/run-folder.js';
import type { Budget } from '../../shared/costs/budget.js';
import { formatCost } from '../../shared/costs/format-cost.js';
import { RequestError } from '../../shared/errors.js';
import { datasetLabel, methodLabel, pathLabel } from '../curves/labels.js';
import { none, type Row, type Table } from '../render/table.js';

export interface BudgetQuestion {
  readonly budgets: readonly Budget[];
  /** Whose milliseconds count, and are shown; needed where several machines have measured what a budget asks for. */
  readonly machine?: string | undefined;
}

/**
 * Undefined where no budget is given.
 * @throws RequestError where milliseconds have not been measured, or it is not clear on which machine
 */
export function budgetsView(runs: readonly RunFolder[], { budgets, machine }: BudgetQuestion): Table | undefined {
  if (budgets.length === 0) return undefined;
  const notes = ['of the deployed stitches that cost no more, the one with the most FLOPs'];
  const severalRuns = runs.length > 1;
  const rows = runs.flatMap(({ folder, name: runName, machines, trials }) =>
    trials.flatMap(({ name, result }) => {
      if (!result) return [];
      const run = { folder, name, result, machines };
      return budgets.map((budget, index): Row => {
        const prices = pricesOf(run, budget.cost, machine);
        const shared = {
          run: runName,
          dataset: datasetLabel(result.dataset),
          method: methodLabel(seriesOf(result)),
          seed: result.seed,
          budget: `${formatCost(budget.cost, budget.limit)}${prices.machine ? ` on ${prices.machine}` : ''}`,
        };
        try {
          const { stitch, price } = chooseWithin(run, budget, prices);
          const { id, path, flops, accuracy } = stitch;
          const chosen = { stitch: id, path: pathLabel(path), price: formatCost(budget.cost, price) };
          return { startsGroup: index === 0, cells: { ...shared, ...chosen, flops: flops / 1e6, accuracy } };
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          notes.push(error.message);
          const nothing = { stitch: none, path: none, price: none, flops: none, accuracy: none };
          return { startsGroup: index === 0, cells: { ...shared, ...nothing } };
        }
      });
    }),
  );
  return {
    name: 'budgets',
    title: 'What the budget buys',
    columns: [
      ...(severalRuns ? [{ key: 'run', label: 'Run', kind: 'text', grouping: true } as const] : []),
      { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
      { key: 'method', label: 'Method', kind: 'text', grouping: true },
      { key: 'seed', label: 'Seed', kind: 'number', precision: 0 },
      { key: 'budget', label: 'Budget', kind: 'text' },
      { key: 'stitch', label: 'Stitch', kind: 'number', precision: 0 },
      { key: 'path', label: 'Blocks', kind: 'text' },
      { key: 'price', label: 'Cost', kind: 'text' },
      { key: 'flops', label: 'MFLOPs', kind: 'number', precision: 1 },
      { key: 'accuracy', label: 'Accuracy (%)', kind: 'number' },
    ],
    rows,
    notes,
  };
}
