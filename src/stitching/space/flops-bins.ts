/**
 * FLOPs bins: the unit of task-specific sampling and of one-stage deployment, which keeps one stitch of each.
 *
 * What Table I shows (see report/paper/table-one.ts; FLOPs with one head of 100 classes): in each of its four FGVC rows exactly
 * one stitch lies in each of 14 bins of equal width, and the largest anchor (17.67 G) stands apart. The edges are pinned
 * down only to: width 1.185 .. 1.196 G, first bin from 1.835 .. 1.988 G. No division of [cheapest, dearest] fits, with or
 * without the anchors or the two stitches that cost more than the largest anchor (18.08 and 18.46 G, deployed in no row).
 * What does fit is 14 evenly spaced points from stitch 31 (1.92 G) to stitch 42 (17.39 G, the dearest below the largest
 * anchor), each the low edge of a bin: so stitch 42 is alone in the last bin, and indeed every row has it. Why the space
 * should start at stitch 31, the fourth cheapest, the paper does not say.
 *
 * So our default is the plain rule, [cheapest, dearest below the largest anchor] in 14; the grid of Table I is what
 * `gridBetween` is for (sampling.bin_edges: [31, 42]). Stitches that cost more than the largest anchor are in no bin: the anchor is the better choice at that price.
 */
import { RequestError } from '../../shared/errors.js';

/** Equal-width bins from `lowest`, each with its low edge included; the first is open below and the last above. */
export interface FlopsGrid {
  readonly lowest: number;
  readonly width: number;
}

export interface FlopsBins extends FlopsGrid {
  /** Stitch ids of each bin, by rising FLOPs; a bin may be empty. */
  readonly bins: readonly (readonly number[])[];
  /** Id of the largest anchor, which is in no bin. */
  readonly largestAnchor: number;
}

/**
 * @param flops of every stitch, by id
 * @param largestAnchor its id
 * @param options count: number of bins, default 14; grid: where they lie, default see above
 * @throws RequestError for a count below 1
 */
export function flopsBins(
  flops: readonly number[],
  largestAnchor: number,
  options: { readonly count?: number; readonly grid?: FlopsGrid } = {},
): FlopsBins {
  const { count = 14 } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new RequestError(`sampling.bins: expected a whole number of at least 1, received ${count}`);
  }
  const cheaper = [...flops.keys()]
    .filter((id) => id !== largestAnchor && flops[id]! <= flops[largestAnchor]!)
    .sort((a, b) => flops[a]! - flops[b]!);
  const { lowest, width } =
    options.grid ??
    evenGrid(
      cheaper.map((id) => flops[id]!),
      count,
    );
  const bins = Array.from({ length: count }, (): number[] => []);
  for (const id of cheaper) {
    // All stitches may cost the same: then the width is 0 and everything is in the first bin.
    const bin = width > 0 ? Math.floor((flops[id]! - lowest) / width) : 0;
    bins[Math.min(Math.max(bin, 0), count - 1)]!.push(id);
  }
  return { lowest, width, bins, largestAnchor };
}

/**
 * The grid in which the FLOPs of two stitches are the low edges of the first and of the last of `count` bins.
 * @param edges ids of the two stitches
 * @throws RequestError where that is no grid
 */
export function gridBetween(flops: readonly number[], edges: readonly [number, number], count: number): FlopsGrid {
  const [lowest, highest] = edges.map((id) => flops[id]);
  if (lowest === undefined || highest === undefined || lowest >= highest || count < 2) {
    throw new RequestError(
      `sampling.bin_edges: expected a stitch and a dearer one, by id from 0 to ${flops.length - 1}, for at least 2 bins; received ${edges.join(', ')} for ${count}`,
      'esta stitches FILE lists them; leave bin_edges out for bins over the whole range.',
    );
  }
  // A hair narrower, so that rounding cannot put the last stitch below its own edge.
  return { lowest, width: ((highest - lowest) / (count - 1)) * (1 - 1e-12) };
}

/** The bin of a stitch; undefined for the largest anchor and for stitches that cost more. */
export function binOf({ bins }: Pick<FlopsBins, 'bins'>, id: number): number | undefined {
  const bin = bins.findIndex((ids) => ids.includes(id));
  return bin < 0 ? undefined : bin;
}

/** `count` equal parts of the range of `sorted`. */
function evenGrid(sorted: readonly number[], count: number): FlopsGrid {
  const lowest = sorted[0] ?? 0;
  const highest = sorted.at(-1) ?? 0;
  return { lowest, width: (highest - lowest) / count };
}
