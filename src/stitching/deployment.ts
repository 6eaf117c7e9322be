/**
 * One-stage deployment (ESTA): when training ends, the stitch with the highest importance score of each FLOPs bin and the
 * largest anchor are deployed. Nothing has to be evaluated to choose them. A bin may go without one where a cheaper stitch
 * that is deployed is better: for that these few are evaluated on the validation images.
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
 * @param preferred ids that are chosen before all others of their bin, whatever the scores; default: none
 * @returns by rising FLOPs, the largest anchor last
 */
export function deployedStitches(
  { bins, largestAnchor }: FlopsBins,
  { scores }: Pick<ImportanceScores, 'scores'>,
  preferred: readonly number[] = [],
): DeployedStitch[] {
  const score = (id: number) => scores[id] ?? Number.NEGATIVE_INFINITY;
  const tops = bins.flatMap((ids, bin) => {
    const privileged = ids.filter((id) => preferred.includes(id));
    const [first, ...others] = privileged.length > 0 ? privileged : ids;
    if (first === undefined) return [];
    // The ids of a bin rise in FLOPs, so a tie stays with the cheaper stitch.
    return [{ id: others.reduce((best, id) => (score(id) > score(best) ? id : best), first), bin }];
  });
  return [...tops, { id: largestAnchor }];
}

export interface BeatenStitch extends DeployedStitch {
  readonly bin: number;
  /** Id of a cheaper deployed stitch that beats it. */
  readonly by: number;
}

/**
 * Leaves out what a cheaper one beats. The largest anchor stays: it has learned in every step, and what it gives up is
 * what stitches are compared with.
 *
 * @param chosen by rising cost, as `deployedStitches` gives them
 * @param answers of each of them, in their order: which validation images it gets right
 * @param preferred ids that stay, too; default: none
 */
export function unbeaten(
  chosen: readonly DeployedStitch[],
  answers: readonly (readonly boolean[])[],
  preferred: readonly number[] = [],
): { readonly deployed: DeployedStitch[]; readonly beaten: BeatenStitch[] } {
  const kept: number[] = [];
  const beaten: BeatenStitch[] = [];
  for (const [index, { id, bin }] of chosen.entries()) {
    const better = kept.find((cheaper) => beats(answers[cheaper]!, answers[index]!));
    if (bin === undefined || better === undefined || preferred.includes(id)) kept.push(index);
    else beaten.push({ id, bin, by: chosen[better]!.id });
  }
  return { deployed: kept.map((index) => chosen[index]!), beaten };
}

/** Standard errors of a difference that count as clear: chance alone exceeds them in one of forty comparisons. */
const clearErrors = 2;

/**
 * Whether `one` is clearly right more often than `other`. Images that both get right, or both wrong, say nothing (McNemar
 * 1947): of the n that only one gets right, half would be each one's by chance, and the difference of the two counts has
 * a deviation of the square root of n.
 */
function beats(one: readonly boolean[], other: readonly boolean[]): boolean {
  let wins = 0;
  let losses = 0;
  for (const [image, right] of one.entries()) {
    if (right && !other[image]) wins++;
    if (!right && other[image]) losses++;
  }
  return wins - losses > clearErrors * Math.sqrt(wins + losses);
}
