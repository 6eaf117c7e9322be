/** A family of ConvNeXts as small as a test wants it, grown as the big one: more blocks first, then more channels. */
import { type Architecture, stagesOf } from '../../src/models/architecture.js';
import { convNeXtArchitecture } from '../../src/models/convnext/architecture.js';
import type { ConvNeXtVariant } from '../../src/models/convnext/variants.js';
import { buildStagedSpace } from '../../src/stitching/space/staged-space.js';

const sizes: readonly Pick<ConvNeXtVariant, 'name' | 'depths' | 'dims'>[] = [
  { name: 'tiny', depths: [1, 1, 2, 1], dims: [8, 16, 32, 64] },
  { name: 'small', depths: [1, 1, 4, 1], dims: [8, 16, 32, 64] },
  { name: 'base', depths: [1, 1, 4, 1], dims: [12, 24, 48, 96] },
];
/** Images of 32 x 32: the last stage sees one pixel. */
export const convNeXtVariants = sizes.map((size): ConvNeXtVariant => ({ ...size, imageSize: 32, classes: 3 }));
export const architectures: readonly Architecture[] = convNeXtVariants.map(convNeXtArchitecture);
export const space = buildStagedSpace(
  architectures.map((architecture) => ({ name: architecture.name, stages: stagesOf(architecture) })),
);
