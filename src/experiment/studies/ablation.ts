/**
 * The ablation studies of the supplement: each compares a few settings of one experiment, with several seeds. A variant is
 * the experiment with some values changed; its trials stand in one run folder with those of the others.
 */

import type { Experiment } from '../../config/schema/experiment.js';
import { type Variant, variantOfLength } from '../../config/trials.js';

export const ablationNames = ['eta', 'distillation', 'adapt-then-stitch', 'lora', 'sampling', 'length'] as const;
export type AblationName = (typeof ablationNames)[number];

export interface Ablation {
  /** What is compared, for `--help`. */
  readonly question: string;
  /** Settings that every variant has from the study, whatever the experiment says. All studies choose the methods, too. */
  readonly sets?: readonly string[];
  readonly variants: (base: Experiment) => readonly Variant[];
}

export const ablations: Readonly<Record<AblationName, Ablation>> = {
  eta: {
    question: 'momentum of the importance scores: 0.8, 0.9, 0.99 (supplement E)',
    sets: ['sampling.eta'],
    variants: (base) =>
      [0.8, 0.9, 0.99].map((eta) => variant(`eta ${eta}`, base, { sampling: { ...base.sampling, eta } })),
  },
  distillation: {
    question: 'with and without in-place distillation (supplement D)',
    sets: ['distillation.enabled'],
    variants: (base) =>
      [true, false].map((enabled) =>
        variant(`${enabled ? 'with' : 'without'} distillation`, base, {
          distillation: { ...base.distillation, enabled },
        }),
      ),
  },
  'adapt-then-stitch': {
    question:
      'anchors adapted while they are stitched, or before, for ESTA or for SN-Net; tested at quarters of the epochs (supplement F)',
    variants: (base) => {
      const given = base.evaluation.test_at;
      const evaluation = { ...base.evaluation, test_at: given.length > 0 ? given : [0.25, 0.5, 0.75] };
      return [
        variant('adapt-and-stitch', base, { methods: ['esta'], evaluation }),
        variant('adapt-then-stitch', base, { methods: ['adapt-then-stitch'], evaluation }),
        variant('adapt, then SN-Net', base, { methods: ['adapt-then-sn-net'], evaluation }),
      ];
    },
  },
  lora: {
    question: 'PST, naive LoRA of several ranks, LoRA of its own for each stitch (supplement H)',
    variants: (base) => [
      variant('PST', base, { methods: ['esta'], adaptation: { ...base.adaptation, stitch_bias: true } }),
      ...[0.5, 1, 2].map((factor) =>
        variant(`LoRA, ranks x ${factor}`, base, { methods: ['naive-lora'], adaptation: scaledRanks(base, factor) }),
      ),
      // Of its own for each stitch: with the ranks of Table I rank 1 trains less than PST, rank 2 more (2.7 and 5.2 M, 4.7 M).
      ...[1, 2].map((rank) =>
        variant(`SS-LoRA, rank ${rank}`, base, {
          methods: ['ss-lora'],
          adaptation: { ...base.adaptation, ranks: base.adaptation.ranks.map(() => rank), stitching_layer_rank: rank },
        }),
      ),
    ],
  },
  sampling: {
    question: 'task-specific sampling against uniform, and against evaluating all stitches to deploy (section 4.2)',
    sets: ['sampling.strategy', 'evaluation.deploy_by'],
    variants: (base) => {
      const deployed = (deploy_by: 'importance' | 'validation'): Partial<Experiment> => ({
        evaluation: { ...base.evaluation, deploy_by },
      });
      // Scores deploy, also of a file that says otherwise; one that says nothing keeps the identity of its trials.
      const scored = base.evaluation.deploy_by === undefined ? {} : deployed('importance');
      const sampled = (strategy: 'task-specific' | 'uniform') => ({
        ...{ sampling: { ...base.sampling, strategy }, ...scored },
      });
      return [
        variant('task-specific sampling', base, sampled('task-specific')),
        variant('task-specific sampling, all evaluated', base, {
          ...sampled('task-specific'),
          ...deployed('validation'),
        }),
        variant('uniform sampling', base, sampled('uniform')),
      ];
    },
  },
  length: {
    question: 'the methods, trained for a tenth, three tenths and all of the epochs: accuracy against training time',
    variants: (base) => {
      const students = (stitches_per_step: number, sandwich: boolean): Partial<Experiment> => ({
        methods: ['esta'],
        sampling: { ...base.sampling, stitches_per_step, sandwich },
      });
      const methods: readonly (readonly [name: string, changes: Partial<Experiment>])[] = [
        ['ESTA', students(1, false)],
        ['ESTA, 3 stitches a step', students(3, true)],
        ['SN-Net', { methods: ['sn-net'] }],
        ['Anchors with LoRA', { methods: ['anchor-lora'] }],
        ['Adapt-then-stitch', { methods: ['adapt-then-stitch'] }],
        ['LoRA', { methods: ['naive-lora'] }],
        ['SS-LoRA', { methods: ['ss-lora'] }],
      ];
      return methods.flatMap(([name, changes]) =>
        lengthsOf({ ...base, ...changes }).map((shorter) =>
          variant(variantOfLength(name, shorter.training.epochs), base, { ...changes, ...shorter }),
        ),
      );
    },
  },
};

/** Of shares that round to the same epochs the last. */
function lengthsOf(experiment: Experiment): Pick<Experiment, 'training' | 'sampling'>[] {
  const lengths = [0.1, 0.3, 1].map((share) => shortened(experiment, share));
  return lengths.filter(({ training }, index) => training.epochs !== lengths[index + 1]?.training.epochs);
}

/** A share of all epochs and warm-ups; the grid stays, as far as it is no longer than the training. */
function shortened({ training, sampling }: Experiment, share: number): Pick<Experiment, 'training' | 'sampling'> {
  const part = (epochs: number) => Math.round(epochs * share);
  const epochs = Math.max(1, part(training.epochs));
  return {
    training: {
      ...training,
      epochs,
      anchor_epochs: Math.max(1, part(training.anchor_epochs)),
      warmup_epochs: part(training.warmup_epochs),
      grid_epochs: Math.min(training.grid_epochs, epochs),
    },
    sampling: { ...sampling, warmup_epochs: part(sampling.warmup_epochs) },
  };
}

function variant(name: string, base: Experiment, changes: Partial<Experiment>): Variant {
  return { name, experiment: { ...base, ...changes } };
}

/** All ranks of the low-rank updates times `factor`, at least 1. */
function scaledRanks({ adaptation }: Experiment, factor: number): Experiment['adaptation'] {
  const scaled = (rank: number) => (rank === 0 ? 0 : Math.max(1, Math.round(rank * factor)));
  return {
    ...adaptation,
    ranks: adaptation.ranks.map(scaled),
    stitching_layer_rank: scaled(adaptation.stitching_layer_rank),
  };
}
