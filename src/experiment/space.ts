/** The stitch space that an experiment means, and the shapes of its networks: all from its file, no weights are read. */
import type { Experiment } from '../config/schema/experiment.js';
import { type Architecture, stagesOf } from '../models/architecture.js';
import { architectureNamed } from '../models/architectures.js';
import { RequestError } from '../shared/errors.js';
import type { Adaptation, StitchableNetwork } from '../stitching/space/cost.js';
import { buildStagedSpace } from '../stitching/space/staged-space.js';
import { buildStitchSpace, type StitchSpace } from '../stitching/space/stitch-space.js';

export interface ExperimentSpace {
  /** Small to large, for images of the experiment's crop. */
  readonly anchors: readonly Architecture[];
  readonly space: StitchSpace;
  /** What costs are counted from. */
  readonly network: StitchableNetwork;
}

/**
 * @param classes classes of the data set: the size of the heads
 * @param adaptation what is trained; default: PST as the experiment's `adaptation` says
 * @throws RequestError for unknown architectures, and for anchors that cannot be stitched
 */
export function spaceOf(
  experiment: Experiment,
  classes: number,
  adaptation: StitchableNetwork['adaptation'] = pstOf(experiment),
): ExperimentSpace {
  const { crop } = experiment.preprocessing;
  const anchors = experiment.anchors.map(({ architecture }) => architectureNamed(architecture, crop));
  checkFamily(experiment.anchors, anchors);
  checkPositions(experiment, anchors);
  return { anchors, space: stitched(experiment, anchors), network: { anchors, classes, adaptation } };
}

/** Networks in stages are stitched stage by stage, others anywhere. */
function stitched({ anchors, stitching: { kernel, stride } }: Experiment, architectures: readonly Architecture[]) {
  const shapes = architectures.map((architecture, index) => ({
    name: anchors[index]!.name,
    stages: stagesOf(architecture),
  }));
  if (shapes.some(({ stages }) => stages.length > 1)) return buildStagedSpace(shapes, { kernel, stride });
  const whole = shapes.map(({ name, stages }) => ({ name, ...stages[0]! }));
  return buildStitchSpace(whole, { kernel, stride });
}

/** Parameter-efficient stitch fine-tuning, in the words of the stitching folder. */
export function pstOf({ adaptation }: Experiment): Adaptation {
  const { ranks, stitching_layer_rank: stitchingLayerRank, stitch_bias: stitchBias } = adaptation;
  return { ranks, stitchingLayerRank, stitchBias };
}

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

/** A stitching layer maps tokens or pixels one by one, so all anchors must have the same ones, stage by stage. */
function checkPositions({ anchors }: Experiment, architectures: readonly Architecture[]): void {
  const counts = architectures.map(({ blocks }) => blocks[0]!.positions);
  if (counts.every((positions) => positions === counts[0])) return;
  const received = anchors.map(({ name, architecture }, index) => `${name} (${architecture}): ${counts[index]}`);
  throw new RequestError(
    `anchors: expected the same number of tokens in all, received ${received.join(', ')}`,
    'Choose architectures of one patch size and one image size.',
  );
}
