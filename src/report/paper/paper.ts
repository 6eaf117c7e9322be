/** Numbers of the paper beside ours. */
import { methodLabel } from '../curves/labels.js';

/** One entry of the supplement's Table I. */
export interface PaperEntry {
  /** FLOPs as printed, in G with two decimals. */
  readonly gigaflops: number;
  /** Percent. */
  readonly accuracy: number;
}

/** The paper's entries for a data set (or VTAB-1k); undefined when the paper has none. */
export type PaperReference = (dataset: string) => readonly PaperEntry[] | undefined;

/**
 * The printed FLOPs are rounded to 0.01 G, and all FGVC rows were counted with one head, of 39 to 155 classes (see
 * table-one.ts): NABirds has 555, 0.0004 G more. Stitches of a row lie much further apart.
 */
const tolerance = 0.0055;

/** Table I is about this method. */
const paperMethod = 'esta';

/**
 * The paper's accuracy for a method on a data set at these FLOPs, percent; undefined for another method than the
 * paper's table is about, and when no entry has these FLOPs to rounding.
 */
export function paperAccuracy(
  reference: PaperReference,
  { dataset, method }: { readonly dataset: string; readonly method: string },
  { flops }: { readonly flops: number },
): number | undefined {
  if (method !== paperMethod && !method.startsWith(methodLabel(paperMethod))) return undefined;
  return reference(dataset)?.find(({ gigaflops }) => Math.abs(flops / 1e9 - gigaflops) <= tolerance)?.accuracy;
}
