/** Which deployed stitch a budget buys, and why, in three lines. */
import {
  chooseWithin,
  isWithin,
  type MeasuredRun,
  measuredBy,
  type PricedStitch,
  type Prices,
  pricesOf,
} from '../run-folder/measured/choice.js';
import { measuringCommand } from '../run-folder/measured/measuring-command.js';
import type { StitchResult } from '../run-folder/result.js';
import type { Budget } from '../shared/costs/budget.js';
import { formatCost } from '../shared/costs/format-cost.js';
import { formatPercent } from '../shared/costs/numbers.js';
import { capital, pathLabel, reportedOn, stitchSummary } from './curves/labels.js';

export interface Recommendation {
  readonly stitch: StitchResult;
  /** In the unit of the budget: milliseconds, bytes, FLOPs or parameters. */
  readonly price: number;
  /** Whose milliseconds these are. */
  readonly machine?: string;
  /** What it is; what a little more would buy; whether something cheaper is as good. */
  readonly lines: readonly [choice: string, dearer: string, cheaper: string];
}

/** @throws RequestError where nothing fits the budget, or milliseconds have not been measured */
export function recommend(run: MeasuredRun, budget: Budget, machine?: string): Recommendation {
  const prices = pricesOf(run, budget.cost, machine);
  const chosen = chooseWithin(run, budget, prices);
  const where = prices.machine === undefined ? '' : ` on ${prices.machine}`;
  const { limit, cost } = budget;
  return {
    ...chosen,
    ...(prices.machine !== undefined && { machine: prices.machine }),
    lines: [
      `${capital(stitchSummary(chosen.stitch))}. It takes ${formatCost(cost, chosen.price)} of ${formatCost(cost, limit)}${where}.`,
      dearerLine(run, prices, chosen, budget),
      cheaperLine(run, prices, chosen, budget),
    ],
  };
}

/** A table from elsewhere may lack some of what is deployed: a larger budget may buy one of these. */
function dearerLine(run: MeasuredRun, prices: Prices, { stitch }: PricedStitch, budget: Budget): string {
  const unknown = unpricedOf(run, prices).filter(({ flops }) => flops > stitch.flops).length;
  const next = prices.stitches.find((other) => other.stitch.flops > stitch.flops && !isWithin(budget, other.price));
  if (!next) {
    return unknown > 0
      ? unpricedLine(run, prices, unknown)
      : 'No deployed stitch has more FLOPs: a larger budget buys nothing.';
  }
  const { accuracy } = next.stitch;
  const line = `The next one${unknown > 0 ? ' that was measured' : ''}, ${named(next.stitch)}, takes ${formatCost(prices.cost, next.price)}, which is over the budget; it has ${formatPercent(accuracy)}.`;
  return unknown > 0 ? `${line} ${unpricedLine(run, prices, unknown)}` : line;
}

/** The test images, or texts, did not choose, so that a cheaper stitch may have come out better on them. */
function cheaperLine(run: MeasuredRun, prices: Prices, chosen: PricedStitch, budget: Budget): string {
  const isPartial = unpricedOf(run, prices).length > 0;
  const isBetter = ({ stitch: { accuracy }, price }: PricedStitch) =>
    accuracy > chosen.stitch.accuracy || (accuracy === chosen.stitch.accuracy && price < chosen.price);
  const better = prices.stitches
    .filter((other) => isWithin(budget, other.price) && isBetter(other))
    .sort((a, b) => b.stitch.accuracy - a.stitch.accuracy || a.price - b.price)[0];
  if (!better) {
    const which = isPartial ? 'that were measured there and are within the budget' : 'within the budget';
    return `Of the deployed stitches ${which} it has the most FLOPs, and is the most accurate.`;
  }
  return (
    `${isPartial ? 'Of those that were measured there it' : 'It'} has the most FLOPs within the budget, but ${reportedOn(better.stitch)} ${named(better.stitch)} ` +
    `has ${formatPercent(better.stitch.accuracy)} with ${formatCost(prices.cost, better.price)}.`
  );
}

/** What is deployed, and has no price in the table of the machine. */
function unpricedOf({ result }: MeasuredRun, { stitches }: Prices): StitchResult[] {
  return result.stitches.filter(({ id }) => !stitches.some(({ stitch }) => stitch.id === id));
}

function unpricedLine(run: MeasuredRun, { cost, machine }: Prices, count: number): string {
  const { table } = measuredBy(run, machine);
  const [stitches, have, them] = count === 1 ? ['stitch', 'has', 'it'] : ['stitches', 'have', 'them'];
  const what = cost === 'latency' ? 'milliseconds' : 'size of a file';
  const does = table.processor === undefined ? 'writes a table to be filled in' : `measures ${them}`;
  return `${count} deployed ${stitches} with more FLOPs ${have} no ${what} on ${table.machine}: ${measuringCommand(run, table)} ${does}.`;
}

function named({ id, path }: StitchResult): string {
  return `stitch ${id} (${pathLabel(path)})`;
}
