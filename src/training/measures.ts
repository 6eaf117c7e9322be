/** Numbers that every step of a training reports, and their means over an epoch. */

/** `loss`, and others by name; undefined in steps that have none. */
export interface Measures {
  readonly loss: number;
  readonly [name: string]: number | undefined;
}

/** Plain JSON; saved with the training state. */
export type MeasureSums = Readonly<Record<string, MeasureSum>>;

interface MeasureSum {
  readonly sum: number;
  /** Steps that had it. */
  readonly steps: number;
  readonly last: number;
}

export function addMeasures(sums: MeasureSums, measures: Measures): MeasureSums {
  const next: Record<string, MeasureSum> = { ...sums };
  for (const [name, value] of Object.entries(measures)) {
    if (value === undefined) continue;
    const { sum, steps } = next[name] ?? { sum: 0, steps: 0 };
    next[name] = { sum: sum + value, steps: steps + 1, last: value };
  }
  return next;
}

/** Each over the steps that had it. */
export function meansOf({ loss, ...others }: MeasureSums): Measures {
  const mean = ({ sum, steps }: MeasureSum) => sum / steps;
  const means = Object.entries(others).map(([name, sums]) => [name, mean(sums)] as const);
  return { loss: mean(loss!), ...Object.fromEntries(means) };
}
