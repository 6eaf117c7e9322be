/** The mini ConvNeXts as a family of anchors, and their space. */
import { type Architecture, stagesOf } from '../../src/models/architecture.js';
import { convNeXtArchitecture } from '../../src/models/architectures.js';
import { convNeXtVariantNamed } from '../../src/models/convnext-variants.js';
import { buildStagedSpace } from '../../src/stitching/staged-space.js';

/** Images of 32 x 32: the last stage sees one pixel. */
export const convNeXtVariants = ['tiny', 'small', 'base'].map((size) => ({
  ...convNeXtVariantNamed(`convnext_mini_${size}`),
  imageSize: 32,
}));
export const architectures: readonly Architecture[] = convNeXtVariants.map(convNeXtArchitecture);
export const space = buildStagedSpace(
  architectures.map((architecture) => ({ name: architecture.name, stages: stagesOf(architecture) })),
);
