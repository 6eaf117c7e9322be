/** The space of SN-Net and of the paper: ViT-Ti/S/B, 71 stitches. */
import { architectureNamed } from '../../../src/models/architectures.js';
import { type StitchableNetwork, stitchFlops } from '../../../src/stitching/space/cost.js';
import { buildStitchSpace } from '../../../src/stitching/space/stitch-space.js';

export const anchors = ['tiny', 'small', 'base'].map((size) => architectureNamed(`vit_${size}_patch16_224`));
export const space = buildStitchSpace(
  anchors.map(({ name, blocks }) => ({ name, depth: blocks.length, width: blocks[0]!.width })),
);

/** Ranks in ViT-Ti/S/B and on the stitching layers, and the classes of the head, that reproduce the FLOPs of the rows. */
export const tableOneCosts = {
  fgvc: { ranks: [32, 16, 8], stitchingLayerRank: 96, classes: 100 },
  cifar100: { ranks: [2, 8, 8], stitchingLayerRank: 192, classes: 100 },
} as const;

/** FLOPs of every stitch with the ranks and the head that reproduce the FGVC rows of Table I. */
export function tableOneFlops(costs: {
  readonly ranks: readonly number[];
  readonly stitchingLayerRank: number;
  readonly classes: number;
}): number[] {
  const network: StitchableNetwork = { anchors, classes: costs.classes, adaptation: { ...costs, stitchBias: true } };
  return space.stitches.map((stitch) => stitchFlops(stitch, network));
}
