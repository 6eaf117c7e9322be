/** The stitch space that an experiment means, and the shapes of its networks: all from its file, no weights are read. */
import type { Experiment } from '../config/schema.js';
import { tokensOf, type ViTVariant, variantNamed } from '../models/variants.js';
import { RequestError } from '../shared/errors.js';
import type { Adaptation, StitchableViT } from '../stitching/cost.js';
import { buildStitchSpace, type StitchSpace } from '../stitching/stitch-space.js';

export interface ExperimentSpace {
  /** Small to large, for images of the experiment's crop. */
  readonly anchors: readonly ViTVariant[];
  readonly space: StitchSpace;
  /** What costs are counted from. */
  readonly network: StitchableViT;
}

/**
 * @param classes classes of the data set: the size of the heads
 * @param adaptation what is trained; default: PST as the experiment's `adaptation` says
 * @throws RequestError for unknown architectures, and for anchors that cannot be stitched
 */
export function spaceOf(
  experiment: Experiment,
  classes: number,
  adaptation: StitchableViT['adaptation'] = pstOf(experiment),
): ExperimentSpace {
  const { stitching } = experiment;
  const anchors = experiment.anchors.map(({ architecture }) => shapeOf(architecture, experiment.preprocessing.crop));
  checkTokens(experiment, anchors);
  const space = buildStitchSpace(
    anchors.map(({ width, depth }, index) => ({ name: experiment.anchors[index]!.name, width, depth })),
    { kernel: stitching.kernel, stride: stitching.stride },
  );
  return { anchors, space, network: { anchors, classes, adaptation } };
}

/** Parameter-efficient stitch fine-tuning, in the words of the stitching folder. */
export function pstOf({ adaptation }: Experiment): Adaptation {
  const { ranks, stitching_layer_rank: stitchingLayerRank, stitch_bias: stitchBias } = adaptation;
  return { ranks, stitchingLayerRank, stitchBias };
}

/** The variant for images of `crop` pixels, default its own size. */
function shapeOf(architecture: string, crop: number | undefined): ViTVariant {
  const variant = variantNamed(architecture);
  const imageSize = crop ?? variant.imageSize;
  if (imageSize % variant.patchSize !== 0) {
    throw new RequestError(
      `preprocessing.crop: expected a multiple of the patch size of ${variant.name} (${variant.patchSize}), received ${imageSize}`,
      `Its own image size is ${variant.imageSize}.`,
    );
  }
  return { ...variant, imageSize };
}

/** A stitching layer maps tokens one by one, so all anchors must see the same ones. */
function checkTokens({ anchors }: Experiment, variants: readonly ViTVariant[]): void {
  const counts = variants.map(tokensOf);
  if (counts.every((tokens) => tokens === counts[0])) return;
  const received = anchors.map(({ name, architecture }, index) => `${name} (${architecture}): ${counts[index]}`);
  throw new RequestError(
    `anchors: expected the same number of tokens in all, received ${received.join(', ')}`,
    'Choose architectures of one patch size and one image size.',
  );
}
