import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Experiment } from '../../../src/config/schema/experiment.js';
import { trialsOf } from '../../../src/config/trials.js';
import { type AblationName, ablationNames } from '../../../src/experiment/studies/ablation.js';
import { studyOf } from '../../../src/experiment/studies/study.js';
import { experiment } from './studied.js';

/** What each variant changes. */
function changes(name: AblationName): Record<string, unknown> {
  const { experiment: base, variants } = studyOf(name, experiment(), 1);
  return Object.fromEntries(
    variants.map((variant) => {
      const sections = Object.entries(variant.experiment).filter(
        ([section, value]) => JSON.stringify(value) !== JSON.stringify(base[section as keyof Experiment]),
      );
      return [variant.name, Object.fromEntries(sections)];
    }),
  );
}

test('each study varies one thing', () => {
  const { sampling, distillation, adaptation, evaluation } = experiment();
  const tested = { evaluation: { ...evaluation, test_at: [0.25, 0.5, 0.75] } };
  assert.deepEqual(changes('eta'), {
    'eta 0.8': { sampling: { ...sampling, eta: 0.8 } },
    'eta 0.9': {},
    'eta 0.99': { sampling: { ...sampling, eta: 0.99 } },
  });
  assert.deepEqual(changes('distillation'), {
    'with distillation': {},
    'without distillation': { distillation: { ...distillation, enabled: false } },
  });
  assert.deepEqual(changes('adapt-then-stitch'), {
    'adapt-and-stitch': tested,
    'adapt-then-stitch': { methods: ['adapt-then-stitch'], ...tested },
    'adapt, then SN-Net': { methods: ['adapt-then-sn-net'], ...tested },
  });
  assert.deepEqual(changes('sampling'), {
    'task-specific sampling': {},
    'task-specific sampling, all evaluated': { evaluation: { ...evaluation, deploy_by: 'validation' } },
    'uniform sampling': { sampling: { ...sampling, strategy: 'uniform' } },
  });
  const ranks = (values: readonly number[], layers: number) => ({
    adaptation: { ...adaptation, ranks: values, stitching_layer_rank: layers },
  });
  assert.deepEqual(changes('lora'), {
    PST: {},
    'LoRA, ranks x 0.5': { methods: ['naive-lora'], ...ranks([2, 4], 8) },
    'LoRA, ranks x 1': { methods: ['naive-lora'] },
    'LoRA, ranks x 2': { methods: ['naive-lora'], ...ranks([6, 16], 32) },
    'SS-LoRA, rank 1': { methods: ['ss-lora'], ...ranks([1, 1], 1) },
    'SS-LoRA, rank 2': { methods: ['ss-lora'], ...ranks([2, 2], 2) },
  });
});

test('a file or --set takes no variant what its label promises', () => {
  const of = (name: AblationName, more: object) =>
    Object.fromEntries(
      studyOf(name, experiment(more), 1).variants.map((variant) => [variant.name, variant.experiment]),
    );
  const sampling = of('sampling', { evaluation: { deploy_by: 'validation' } });
  assert.deepEqual(
    Object.values(sampling).map(({ evaluation }) => evaluation.deploy_by),
    ['importance', 'validation', 'importance'],
  );
  const lora = of('lora', { adaptation: { ranks: [3, 8], stitching_layer_rank: 16, stitch_bias: false } });
  assert.equal(lora['PST']!.adaptation.stitch_bias, true);
  assert.deepEqual(lora['PST']!.adaptation, experiment().adaptation);
});

test('methods are trained for shares of the epochs, with a grid that is no longer', () => {
  const training = { epochs: 40, anchor_epochs: 60, warmup_epochs: 4, grid_epochs: 6 };
  const base = experiment({ training, sampling: { bins: 8, warmup_epochs: 8 } });
  const { variants } = studyOf('length', base, 1);
  const summary = variants.map(({ name, experiment: { training, methods, sampling } }) => {
    const { epochs, anchor_epochs, warmup_epochs, grid_epochs } = training;
    const { stitches_per_step, sandwich, warmup_epochs: uniform } = sampling;
    return [name, ...methods, epochs, anchor_epochs, warmup_epochs, uniform, grid_epochs, stitches_per_step, sandwich];
  });
  const lengths = (name: string, method: string, students: number, sandwich: boolean) => [
    [`${name} for 4 epochs`, method, 4, 6, 0, 1, 4, students, sandwich],
    [`${name} for 12 epochs`, method, 12, 18, 1, 2, 6, students, sandwich],
    [`${name} for 40 epochs`, method, 40, 60, 4, 8, 6, students, sandwich],
  ];
  assert.deepEqual(summary, [
    ...lengths('ESTA', 'esta', 1, false),
    ...lengths('ESTA, 3 stitches a step', 'esta', 3, true),
    ...lengths('SN-Net', 'sn-net', 1, false),
    ...lengths('Anchors with LoRA', 'anchor-lora', 1, false),
    ...lengths('Adapt-then-stitch', 'adapt-then-stitch', 1, false),
    ...lengths('LoRA', 'naive-lora', 1, false),
    ...lengths('SS-LoRA', 'ss-lora', 1, false),
  ]);
  // 0.1 and 0.3 of 4 epochs are one.
  const short = studyOf('length', experiment({ training: { epochs: 4, anchor_epochs: 9 } }), 1).variants;
  assert.deepEqual(
    short.slice(0, 3).map(({ name, experiment: { training } }) => [name, training.epochs, training.anchor_epochs]),
    [
      ['ESTA for 1 epochs', 1, 3],
      ['ESTA for 4 epochs', 4, 9],
      ['ESTA, 3 stitches a step for 1 epochs', 1, 3],
    ],
  );
  assert.equal(studyOf('length', experiment({ training: { epochs: 1 } }), 1).variants.length, 7);
});

test('every trial of a study has a name of its own and its settings', () => {
  for (const name of ablationNames) {
    const { experiment: base, variants } = studyOf(name, experiment({ methods: ['esta', 'sn-net'] }), 2);
    const trials = trialsOf(base, variants);
    assert.equal(new Set(trials.map((trial) => trial.name)).size, 2 * variants.length, name);
    assert.equal(base.name, `base-ablate-${name}`);
    for (const trial of trials) assert.match(trial.name, /^[A-Za-z0-9._-]+$/);
  }
});

test('what a file says of its own stays: shares of the epochs, ranks of 0, methods of each variant', () => {
  const given = experiment({ evaluation: { test_at: [0.1] }, methods: ['sn-net'] });
  for (const { experiment } of studyOf('adapt-then-stitch', given, 1).variants) {
    assert.deepEqual(experiment.evaluation.test_at, [0.1]);
  }
  const flat = experiment({ adaptation: { ranks: [0, 2], stitching_layer_rank: 0 } });
  const halved = studyOf('lora', flat, 1).variants.find(({ name }) => name === 'LoRA, ranks x 0.5')!;
  assert.deepEqual(
    [halved.experiment.adaptation.ranks, halved.experiment.adaptation.stitching_layer_rank],
    [[0, 1], 0],
  );
});
