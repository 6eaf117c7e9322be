/**
 * The methods that experiments compare, in one vocabulary: what is trained, how stitches are sampled, what they learn
 * from, and how the deployed ones are chosen. All share one training loop (train-palette.ts).
 */
import type { Experiment, Method } from '../../config/schema/experiment.js';
import type { Sampling } from '../../stitching/sampling.js';
import type { Adaptation, StitchableNetwork } from '../../stitching/space/cost.js';
import { pstOf } from '../space.js';

/** How one training goes. */
export interface TrainingScheme {
  /** Ids of the stitches that are trained; a single one needs no sampling. */
  readonly stitches: readonly number[];
  readonly sampling: Sampling;
  /** Left out: stitches learn from the labels. */
  readonly distillation?: { readonly temperature: number; readonly weight: number };
  /** Whether stitches earn importance scores. */
  readonly hasScores: boolean;
}

/** The stitched network of a method. */
export interface StitchedMethod extends Omit<TrainingScheme, 'stitches'> {
  readonly adaptation: StitchableNetwork['adaptation'];
  /**
   * The stitch of each FLOPs bin that is deployed: the one with the highest importance score (ESTA), or the one with the
   * highest validation accuracy, for which all are evaluated (SN-Net).
   */
  readonly deployment: 'importance' | 'validation';
}

export interface MethodDescription {
  /** What adapts each anchor alone before anything is stitched; undefined: anchors are stitched as they are. */
  readonly anchorsAlone: Adaptation | undefined;
  /** Undefined: the anchors alone are what is deployed. */
  readonly stitched: StitchedMethod | undefined;
}

/**
 * - `esta`: PST, task-specific sampling, in-place distillation, one-stage deployment.
 * - `naive-lora` (supplement H): the same without stitch-specific biases; `ss-lora`: low-rank updates of its own for each
 *   stitch instead.
 * - `sn-net` (Pan et al. 2023): everything is trained, uniform sampling, labels alone (its fine-tuning has no teacher
 *   among the anchors), deployment by evaluating all stitches.
 * - `anchor-lora` (the stars of the figures): each anchor alone, with low-rank updates.
 * - `adapt-then-stitch` (supplement F): first anchor-lora, then the recipe of ESTA on the adapted anchors. The supplement
 *   does not say how anchors are adapted there; low-rank updates keep everything but the order as in ESTA.
 */
export function methodOf(method: Method, experiment: Experiment): MethodDescription {
  const { sampling, distillation, evaluation } = experiment;
  const adaptation = pstOf(experiment);
  const pst: StitchedMethod = {
    adaptation,
    sampling: samplingOf(sampling),
    ...(distillation.enabled && {
      distillation: { temperature: distillation.temperature, weight: distillation.weight },
    }),
    hasScores: true,
    deployment: evaluation.deploy_by ?? 'importance',
  };
  const lowRankOnly: Adaptation = { ...adaptation, stitchBias: false };
  const descriptions: Record<Method, MethodDescription> = {
    esta: { anchorsAlone: undefined, stitched: pst },
    'naive-lora': { anchorsAlone: undefined, stitched: { ...pst, adaptation: lowRankOnly } },
    'ss-lora': { anchorsAlone: undefined, stitched: { ...pst, adaptation: { ...lowRankOnly, ownLowRank: true } } },
    'sn-net': {
      anchorsAlone: undefined,
      stitched: {
        adaptation: 'full',
        sampling: { strategy: 'uniform' },
        hasScores: false,
        deployment: 'validation',
      },
    },
    'anchor-lora': { anchorsAlone: lowRankOnly, stitched: undefined },
    'adapt-then-stitch': { anchorsAlone: lowRankOnly, stitched: pst },
  };
  return descriptions[method];
}

function samplingOf({ strategy, warmup_epochs: warmupEpochs, temperature }: Experiment['sampling']): Sampling {
  return strategy === 'uniform' ? { strategy } : { strategy, warmupEpochs, temperature };
}
