/**
 * One-stage deployment (ESTA): when training ends, the stitch with the highest importance score of each FLOPs bin and the
 * largest anchor are deployed. Nothing has to be evaluated to choose them.
 */

import type { ImportanceScores } from './importance.js';
import type { FlopsBins } from './space/flops-bins.js';

export interface DeployedStitch {
  readonly id: number;
  /** The FLOPs bin it stands for; the largest anchor has none. */
  readonly bin?: number;
}

/**
 * Stitches without a score rank last; of equal ones the cheaper wins. Empty bins deploy nothing.
 *
 * @returns by rising FLOPs, the largest anchor last
 */
export function deployedStitches(
  { bins, largestAnchor }: FlopsBins,
  { scores }: Pick<ImportanceScores, 'scores'>,
): DeployedStitch[] {
  const score = (id: number) => scores[id] ?? Number.NEGATIVE_INFINITY;
  const tops = bins.flatMap((ids, bin) => {
    const [first, ...others] = ids;
    if (first === undefined) return [];
    // The ids of a bin rise in FLOPs, so a tie stays with the cheaper stitch.
    return [{ id: others.reduce((best, id) => (score(id) > score(best) ? id : best), first), bin }];
  });
  return [...tops, { id: largestAnchor }];
}
