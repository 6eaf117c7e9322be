/** Which deployed stitch a budget buys, and why, in three lines. */
import {
  chooseWithin,
  type MeasuredRun,
  type PricedStitch,
  type Prices,
  pricesOf,
} from '../run-folder/measured/choice.js';
import type { StitchResult } from '../run-folder/result.js';
import type { Budget } from '../shared/costs/budget.js';
import { formatCost } from '../shared/costs/format-cost.js';
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
      dearerLine(prices, chosen, limit),
      cheaperLine(prices, chosen, limit),
    ],
  };
}

function dearerLine({ cost, stitches }: Prices, { stitch }: PricedStitch, limit: number): string {
  const next = stitches.find((other) => other.stitch.flops > stitch.flops && other.price > limit);
  if (!next) return 'No deployed stitch has more FLOPs: a larger budget buys nothing.';
  const { accuracy } = next.stitch;
  return `The next one, ${named(next.stitch)}, takes ${formatCost(cost, next.price)}, which is over the budget; it has ${percent(accuracy)}.`;
}

/** The test images, or texts, did not choose, so that a cheaper stitch may have come out better on them. */
function cheaperLine({ cost, stitches }: Prices, chosen: PricedStitch, limit: number): string {
  const better = stitches
    .filter(
      ({ stitch, price }) => price <= limit && stitch.accuracy >= chosen.stitch.accuracy && stitch !== chosen.stitch,
    )
    .sort((a, b) => b.stitch.accuracy - a.stitch.accuracy || a.price - b.price)[0];
  if (!better) return 'Of the deployed stitches within the budget it has the most FLOPs, and is the most accurate.';
  return (
    `It has the most FLOPs within the budget, but ${reportedOn(better.stitch)} ${named(better.stitch)} ` +
    `has ${percent(better.stitch.accuracy)} with ${formatCost(cost, better.price)}.`
  );
}

function named({ id, path }: StitchResult): string {
  return `stitch ${id} (${pathLabel(path)})`;
}

function percent(accuracy: number): string {
  return `${accuracy.toFixed(2)} %`;
}
