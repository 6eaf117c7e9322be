/** Budgets of FLOPs at which methods are compared. */
import { accuracyWithin, type Repetition } from './repetition.js';

/** At most eleven round budgets, from the first that some stitch fits to the first that all fit. */
export function budgetsOf(repetitions: readonly Repetition[]): number[] {
  const flops = repetitions.flatMap(({ stitches }) => stitches.filter((s) => s.deployed).map((s) => s.flops));
  const [low, high] = [Math.min(...flops), Math.max(...flops)];
  const step = roundStep((high - low) / 9 || high);
  const budgets: number[] = [];
  for (let index = Math.ceil(low / step); (index - 1) * step < high; index++) budgets.push(index * step);
  return budgets;
}

/** Those of them that every repetition has a stitch for. */
export function sharedBudgets(repetitions: readonly Repetition[]): number[] {
  return budgetsOf(repetitions).filter((budget) => repetitions.every((r) => accuracyWithin(r, budget) !== undefined));
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `size`. */
export function roundStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= size * (1 - 1e-9))!;
}
