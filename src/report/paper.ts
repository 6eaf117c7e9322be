/** Numbers of the paper beside ours. */
import type { CurvePoint } from './curve.js';

/** One entry of the supplement's Table I. */
export interface PaperEntry {
  /** FLOPs as printed, in G with two decimals. */
  readonly gigaflops: number;
  /** Percent. */
  readonly accuracy: number;
}

/** The paper's entries for a data set (or VTAB-1k); undefined when the paper has none. */
export type PaperReference = (dataset: string) => readonly PaperEntry[] | undefined;

/** The printed FLOPs are rounded to 0.01 G; the slack of 1e-6 is for binary fractions. */
const rounding = 0.005 + 1e-6;

/** The paper's accuracy at these FLOPs, percent; undefined when no entry has them to rounding. */
export function paperAccuracy(
  reference: PaperReference,
  dataset: string,
  { flops }: Pick<CurvePoint, 'flops'>,
): number | undefined {
  return reference(dataset)?.find(({ gigaflops }) => Math.abs(flops / 1e9 - gigaflops) <= rounding)?.accuracy;
}
