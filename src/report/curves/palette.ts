/** The palette of a trained stitchable network: the stitches that are deployed. */
import type { StitchResult } from '../../run-folder/result.js';

/** What the choice depends on. */
export interface PaletteCandidate {
  readonly flops: number;
  /** Percent. */
  readonly accuracy: number;
  /** FLOPs bin for which training chose the stitch. */
  readonly bin: number | undefined;
  readonly stitch: StitchResult | undefined;
}

/**
 * Which candidates are deployed. With bins: the stitch of each bin and the largest anchor (the paper's one-stage
 * deployment). Without: the Pareto frontier of what was evaluated (SN-Net), or all when there are only anchors.
 * @param candidates sorted by FLOPs
 */
export function areDeployed(candidates: readonly PaletteCandidate[]): boolean[] {
  const isAnchor = ({ stitch }: PaletteCandidate) => stitch !== undefined && isAnchorAlone(stitch);
  if (candidates.some(({ bin }) => bin !== undefined)) {
    const largest = candidates.findLast(isAnchor);
    return candidates.map((candidate) => candidate.bin !== undefined || candidate === largest);
  }
  if (candidates.every(isAnchor)) return candidates.map(() => true);
  let best = Number.NEGATIVE_INFINITY;
  return candidates.map(({ accuracy }) => {
    const improves = accuracy > best;
    best = Math.max(best, accuracy);
    return improves;
  });
}

/** True for an anchor alone. */
export function isAnchorAlone({ path }: Pick<StitchResult, 'path'>): boolean {
  return path.length === 1;
}
