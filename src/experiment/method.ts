/**
 * The methods that experiments compare, in one vocabulary: what is trained, how stitches are sampled, what they learn
 * from, and how the deployed ones are chosen. All share one training loop.
 *
 * - `esta`: PST, task-specific sampling, in-place distillation, one-stage deployment.
 * - `naive-lora` (supplement H): the same without stitch-specific biases; `ss-lora`: low-rank updates of its own for each
 *   stitch instead.
 * - `sn-net` (Pan et al. 2023): everything is trained, uniform sampling, labels alone (its fine-tuning has no teacher
 *   among the anchors), deployment by evaluating all stitches.
 * - `anchor-lora` (the stars of the figures): each anchor alone, with low-rank updates.
 * - `adapt-then-sn-net` (supplement F, "a straightforward approach to apply SN-Net"): first anchor-lora, then sn-net on
 *   the adapted anchors. How anchors are adapted the supplement does not say: with low-rank updates, as everywhere else.
 * - `adapt-then-stitch`: first anchor-lora, then esta on the adapted anchors, so that only the order differs from ESTA.
 */
import type { Experiment, Method } from '../config/schema/experiment.js';
import { stitchesAdaptedAnchors } from '../config/schema/experiment-fields.js';
import type { Sampling } from '../stitching/sampling.js';
import type { Adaptation } from '../stitching/space/cost.js';

/** How one training goes, whatever its length and learning rate. */
export interface Learning {
  /** `full`: all weights are trained, as SN-Net does. */
  readonly adaptation: Adaptation | 'full';
  /** How the stitch of a step is drawn; an anchor alone needs no draw. */
  readonly sampling: Sampling;
  /** Stitches that learn on each batch; several of them learn from one pass of the teacher. */
  readonly stitchesPerStep: number;
  /** The stitch of least FLOPs is always one of several: the sandwich rule of BigNAS, whose largest is the teacher here. */
  readonly sandwich?: true;
  /** Momentum eta of the importance scores; left out: no scores are kept. */
  readonly importanceMomentum?: number;
  /** In-place distillation from the largest anchor; left out: stitches learn from the labels. */
  readonly distillation?: { readonly temperature: number; readonly weight: number };
  /**
   * What is deployed: of each FLOPs bin the stitch with the highest importance score (ESTA), or the one with the highest
   * accuracy on the validation images, for which all are evaluated (SN-Net); or all that was trained (an anchor alone).
   */
  readonly deployment: 'importance' | 'validation' | 'all';
  /** An anchor is deployed for its bin, whatever the choice. */
  readonly deploysAnchors?: true;
  /** Bins deploy nothing where a cheaper deployed stitch is better on the validation images. */
  readonly leavesOutBeaten?: true;
}

/** How each anchor is adapted alone before anything is stitched; undefined: anchors are stitched as they are. */
export function learningAlone(method: Method, experiment: Experiment): Learning | undefined {
  if (method !== 'anchor-lora' && !stitchesAdaptedAnchors(method)) return undefined;
  return {
    adaptation: lowRankOf(experiment),
    sampling: { strategy: 'uniform' },
    stitchesPerStep: 1,
    deployment: 'all',
  };
}

/** How the stitched network learns; undefined: nothing is stitched, and the anchors alone are deployed. */
export function learningStitched(method: Method, experiment: Experiment): Learning | undefined {
  const { sampling, distillation, evaluation } = experiment;
  const palette = {
    ...(evaluation.deploy_anchors === true && ({ deploysAnchors: true } as const)),
    ...(evaluation.leave_out_beaten === true && ({ leavesOutBeaten: true } as const)),
  };
  const pst: Learning = {
    adaptation: pstOf(experiment),
    sampling: samplingOf(sampling),
    stitchesPerStep: sampling.stitches_per_step,
    ...(sampling.sandwich && { sandwich: true }),
    importanceMomentum: sampling.eta,
    ...(distillation.enabled && {
      distillation: { temperature: distillation.temperature, weight: distillation.weight },
    }),
    deployment: evaluation.deploy_by ?? 'importance',
    ...palette,
  };
  switch (method) {
    case 'esta':
    case 'adapt-then-stitch':
      return pst;
    case 'naive-lora':
      return { ...pst, adaptation: lowRankOf(experiment) };
    case 'ss-lora':
      return { ...pst, adaptation: { ...lowRankOf(experiment), ownLowRank: true } };
    case 'sn-net':
    case 'adapt-then-sn-net':
      return {
        adaptation: 'full',
        sampling: { strategy: 'uniform' },
        stitchesPerStep: 1,
        deployment: 'validation',
        ...palette,
      };
    case 'anchor-lora':
      return undefined;
  }
}

/** Parameter-efficient stitch fine-tuning, in the words of the stitching folder. */
export function pstOf({ adaptation }: Pick<Experiment, 'adaptation'>): Adaptation {
  const { ranks, stitching_layer_rank: stitchingLayerRank, stitch_bias: stitchBias } = adaptation;
  return { ranks, stitchingLayerRank, stitchBias };
}

/** PST without what belongs to single stitches. */
function lowRankOf(experiment: Experiment): Adaptation {
  return { ...pstOf(experiment), stitchBias: false };
}

function samplingOf({ strategy, warmup_epochs: warmupEpochs, temperature }: Experiment['sampling']): Sampling {
  return strategy === 'uniform' ? { strategy } : { strategy, warmupEpochs, temperature };
}
