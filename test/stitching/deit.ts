/** The space of SN-Net and of the paper: ViT-Ti/S/B, 71 stitches. */
import { variantNamed } from '../../src/models/variants.js';
import { type StitchableViT, stitchFlops } from '../../src/stitching/cost.js';
import { buildStitchSpace } from '../../src/stitching/stitch-space.js';

export const anchors = ['tiny', 'small', 'base'].map((size) => variantNamed(`vit_${size}_patch16_224`));
export const space = buildStitchSpace(anchors);

/** FLOPs of every stitch with the ranks and the head that reproduce the FGVC rows of Table I. */
export function tableOneFlops(costs: {
  readonly ranks: readonly number[];
  readonly stitchingLayerRank: number;
  readonly classes: number;
}): number[] {
  const network: StitchableViT = { anchors, classes: costs.classes, adaptation: { ...costs, stitchBias: true } };
  return space.stitches.map((stitch) => stitchFlops(stitch, network));
}
