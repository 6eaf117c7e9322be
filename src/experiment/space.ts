/** The stitch space that an experiment means, and the shapes of its networks: all from its file, no weights are read. */
import { isDeepStrictEqual } from 'node:util';
import { type AnchorConfig, type Experiment, isTextExperiment } from '../config/schema/experiment.js';
import { stitchingSchema } from '../config/schema/sections.js';
import { type Architecture, imageInputOf, stagesOf } from '../models/architecture.js';
import { architectureNamed } from '../models/architectures.js';
import type { StitchResult } from '../run-folder/result.js';
import { RequestError } from '../shared/errors.js';
import { type StitchableNetwork, stitchFlops, stitchParams, trainableParams } from '../stitching/space/cost.js';
import { gridBetween } from '../stitching/space/flops-bins.js';
import { buildStagedSpace } from '../stitching/space/staged-space.js';
import type { Stitch } from '../stitching/space/stitch.js';
import { buildStitchSpace, type StitchSpace } from '../stitching/space/stitch-space.js';
import { pstOf } from './method.js';
import { languageSpace } from './text/language-space.js';

/** Which stitches there are. */
export interface AnchorsSpace {
  /** Small to large. */
  readonly architectures: readonly Architecture[];
  readonly space: StitchSpace;
}

/**
 * @param crop side of the images in pixels; default: what each anchor was pretrained with
 * @throws RequestError for unknown architectures, and for anchors that cannot be stitched
 */
export function spaceOf(
  anchors: readonly AnchorConfig[],
  { kernel, stride }: Pick<Experiment['stitching'], 'kernel' | 'stride'>,
  crop?: number,
): AnchorsSpace {
  const architectures = architecturesOf(anchors, crop);
  const shapes = architectures.map((architecture, index) => ({
    name: anchors[index]!.name,
    stages: stagesOf(architecture),
  }));
  // Networks in stages are stitched stage by stage, others anywhere.
  if (shapes.some(({ stages }) => stages.length > 1)) {
    return { architectures, space: buildStagedSpace(shapes, { kernel, stride }) };
  }
  const whole = shapes.map(({ name, stages }) => ({ name, ...stages[0]! }));
  return { architectures, space: buildStitchSpace(whole, { kernel, stride }) };
}

/** A stitch as files and tables have it, before anything is measured. */
export type StitchCosts = Pick<StitchResult, 'id' | 'path' | 'flops' | 'params' | 'trainable'>;

/** @param anchors of the experiment, small to large */
export function stitchCosts(
  stitch: Stitch,
  anchors: readonly Pick<AnchorConfig, 'name'>[],
  network: StitchableNetwork,
): StitchCosts {
  return {
    id: stitch.id,
    path: stitch.path.map(({ anchor, blocks }) => ({ anchor: anchors[anchor]!.name, blocks })),
    flops: stitchFlops(stitch, network),
    params: stitchParams(stitch, network).total,
    trainable: trainableParams(stitch, network).total,
  };
}

/** The space of an experiment that trains by PST, and what its costs are counted from. */
export function pstSpaceOf(
  experiment: Experiment,
  classes: number,
): { readonly space: StitchSpace; readonly network: StitchableNetwork } {
  const { anchors, stitching, preprocessing } = experiment;
  const { architectures, space } = isTextExperiment(experiment)
    ? languageSpace(experiment)
    : spaceOf(anchors, stitching, preprocessing.crop);
  return { space, network: { anchors: architectures, classes, adaptation: pstOf(experiment) } };
}

/**
 * Builds the stitch space and its bins from the file alone, before images are decoded or anything is trained.
 * @throws RequestError for anchors that cannot be stitched, and for bins and steps that the space has no stitches for
 */
export function checkSpace(experiment: Experiment): void {
  if (experiment.methods.every((method) => method === 'anchor-lora')) return;
  const { space, network } = pstSpaceOf(experiment, 2); // heads of all stitches grow alike with the classes
  const { bins, bin_edges: edges, stitches_per_step: students } = experiment.sampling;
  const costs = space.stitches.map((stitch) =>
    isTextExperiment(experiment) ? stitchParams(stitch, network).total : stitchFlops(stitch, network),
  );
  checkWindowUse(experiment, space);
  if (edges) gridBetween(costs, edges, bins);
  // The teacher of several stitches learns without being drawn.
  const drawn = space.stitches.length - (experiment.distillation.enabled ? 1 : 0);
  if (students > 1 && students > drawn) {
    throw new RequestError(
      `sampling.stitches_per_step: expected at most ${drawn}, the stitches that can be drawn, received ${students}`,
      'esta stitches FILE lists them.',
    );
  }
}

/** @throws RequestError where the window that the file asks for changes nothing */
function checkWindowUse(experiment: Experiment, space: StitchSpace): void {
  const { kernel, stride } = stitchingSchema.parse({});
  const asked = experiment.stitching;
  if (asked.kernel === kernel && asked.stride === stride) return;
  const usual = pstSpaceOf({ ...experiment, stitching: { ...asked, kernel, stride } }, 2).space;
  if (!isDeepStrictEqual(usual, space)) return;
  throw new RequestError(
    `stitching: expected kernel ${kernel} and stride ${stride}, or neither, received ${asked.kernel} and ${asked.stride}: the stitches are the same`,
    'The window slides over anchors, or stages of them, that have equally many blocks; others are stitched where their blocks lie nearest.',
  );
}

/**
 * The anchors for images of `crop` x `crop` pixels.
 * @throws RequestError for unknown architectures, and for anchors that cannot be stitched
 */
export function architecturesOf(anchors: readonly AnchorConfig[], crop?: number): readonly Architecture[] {
  const before = known.get(anchors);
  if (before && before.crop === crop) return before.architectures;
  const architectures = anchors.map(({ architecture }) => architectureNamed(architecture, crop));
  checkFamily(anchors, architectures);
  checkPositions(anchors, architectures);
  known.set(anchors, { crop, architectures });
  return architectures;
}

/** Of an experiment: a plan asks for them once for each of its trials, which may be thousands. */
const known = new WeakMap<
  readonly AnchorConfig[],
  { readonly crop: number | undefined; readonly architectures: readonly Architecture[] }
>();

/** @throws RequestError where the anchors are of several families; `architectures` are theirs */
export function checkFamily(
  anchors: readonly { readonly name: string; readonly architecture: string }[],
  architectures: readonly Architecture[],
): void {
  if (architectures.every(({ family }) => family === architectures[0]!.family)) return;
  const received = anchors.map(({ name, architecture }) => `${name} (${architecture})`).join(', ');
  throw new RequestError(
    `anchors: expected networks of one family, received ${received}`,
    'Vision transformers pass on tokens and ConvNeXts feature maps: choose one of the two.',
  );
}

/** @throws RequestError where a step is to leave out patches of networks that need the whole image, or all of them */
export function checkPatchDropout(rate: number, architectures: readonly Architecture[]): void {
  if (rate === 0) return;
  const inputs = architectures.map((architecture) => ({ name: architecture.name, ...imageInputOf(architecture) }));
  const whole = inputs.find(({ patches }) => patches === undefined);
  if (whole) {
    throw new RequestError(
      `training.patch_dropout: expected 0 for ${whole.name}, received ${rate}`,
      'Only a vision transformer can leave out patches: a convolution needs the whole image.',
    );
  }
  const blind = inputs.find(({ patches }) => Math.round(patches! * rate) === patches);
  if (!blind) return;
  throw new RequestError(
    `training.patch_dropout: expected a share that leaves some of the ${blind.patches} patches of ${blind.name}, received ${rate}`,
    'Its steps would see no part of an image: 0.25 to 0.5 is usual.',
  );
}

/** A stitching layer maps tokens or pixels one by one, so all anchors must have the same ones, stage by stage. */
function checkPositions(anchors: readonly AnchorConfig[], architectures: readonly Architecture[]): void {
  const counts = architectures.map(({ blocks }) => blocks[0]!.positions);
  if (counts.every((positions) => positions === counts[0])) return;
  const received = anchors.map(({ name, architecture }, index) => `${name} (${architecture}): ${counts[index]}`);
  throw new RequestError(
    `anchors: expected the same number of tokens in all, received ${received.join(', ')}`,
    'Choose architectures of one patch size and one image size.',
  );
}
