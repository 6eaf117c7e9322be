/** The space of SN-Net and of the paper: ViT-Ti/S/B, 71 stitches. */
import { architectureNamed } from '../../../src/models/architectures.js';
import { type StitchableNetwork, stitchFlops } from '../../../src/stitching/space/cost.js';
import { buildStitchSpace } from '../../../src/stitching/space/stitch-space.js';

export const anchors = ['tiny', 'small', 'base'].map((size) => architectureNamed(`vit_${size}_patch16_224`));
export const space = buildStitchSpace(
  anchors.map(({ name, blocks }) => ({ name, depth: blocks.length, width: blocks[0]!.width })),
);

/** FLOPs of every stitch with the ranks and the head that reproduce the FGVC rows of Table I. */
export function tableOneFlops(costs: {
  readonly ranks: readonly number[];
  readonly stitchingLayerRank: number;
  readonly classes: number;
}): number[] {
  const network: StitchableNetwork = { anchors, classes: costs.classes, adaptation: { ...costs, stitchBias: true } };
  return space.stitches.map((stitch) => stitchFlops(stitch, network));
}
