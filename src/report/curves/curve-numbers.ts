/** A whole curve in a few numbers. */
import { mean } from '../../shared/groups.js';
import { accuracyWithin, type Repetition } from './repetition.js';

/** A curve, or the mean over those of several data sets; percent, drops in percentage points. */
export interface CurveNumbers {
  /** Of the accuracy within each of the budgets. */
  readonly mean: number;
  readonly best: number;
  /** The largest from a deployed stitch to one that costs more; 0 where the curve only rises. */
  readonly drop: number;
}

/** @param budgets of FLOPs, each of which some deployed stitch fits */
export function numbersOf(curve: Repetition, budgets: readonly number[]): CurveNumbers {
  const deployed = curve.stitches.filter((stitch) => stitch.deployed).map(({ accuracy }) => accuracy);
  const drops = deployed.map((accuracy, index) => Math.max(...deployed.slice(0, index + 1)) - accuracy);
  const within = budgets.map((budget) => accuracyWithin(curve, budget)!);
  return { mean: mean(within), best: Math.max(...deployed), drop: Math.max(...drops) };
}

export function meanOf(curves: readonly CurveNumbers[]): CurveNumbers {
  const over = (key: keyof CurveNumbers) => mean(curves.map((curve) => curve[key]));
  return { mean: over('mean'), best: over('best'), drop: over('drop') };
}
