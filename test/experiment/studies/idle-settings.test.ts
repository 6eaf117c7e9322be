import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyOverrides } from '../../../src/config/overrides.js';
import { type AblationName, ablationNames, ablations } from '../../../src/experiment/studies/ablation.js';
import { refuseIdleSettings } from '../../../src/experiment/studies/idle-settings.js';
import { studyOf } from '../../../src/experiment/studies/study.js';
import { experiment } from './studied.js';

const check = (name: AblationName, ...set: string[]) =>
  refuseIdleSettings(name, applyOverrides({}, set).overrides, studyOf(name, experiment(), 1).variants);

test('--set of what a study sets in every variant is refused, with the values that it compares', () => {
  assert.throws(() => check('eta', 'training.epochs=2', 'sampling.eta=0.5'), {
    name: 'RequestError',
    message: '--set sampling.eta=0.5: without effect here; the study eta sets sampling.eta itself, to 0.8, 0.9, 0.99',
    hint: 'Leave sampling.eta out of --set, or train with it alone: esta run.',
  });
  assert.throws(
    () => check('distillation', 'methods=[sn-net]'),
    /the study distillation sets methods itself, to \["esta"\]/,
  );
  assert.throws(() => check('distillation', 'distillation.enabled=false'), /to true, false/);
  assert.throws(
    () => check('adapt-then-stitch', 'methods.0=sn-net'),
    /to \["esta"\], \["adapt-then-stitch"\], \["adapt/,
  );
  assert.throws(() => check('eta', 'sampling={ eta: 0.5, bins: 4 }'), /sets sampling\.eta itself/);
});

test('other settings, also of the same section, and those that only some variants set are allowed', () => {
  check('eta', 'sampling.bins=4', 'sampling={ bins: 4 }', 'training.epochs=2', 'sampling.strategy=uniform');
  check('lora', 'adaptation.stitch_bias=false', 'adaptation.ranks=[1, 2]');
  check('length', 'training.epochs=100', 'sampling.stitches_per_step=2', 'data={ kind: species }');
});

test('what a study is said to set is the same in its variants whatever the experiment says', () => {
  const two: Record<string, readonly object[]> = {
    methods: [{ methods: ['esta'] }, { methods: ['sn-net'] }],
    'sampling.eta': [{ sampling: { eta: 0.5 } }, { sampling: { eta: 0.6 } }],
    'distillation.enabled': [{ distillation: { enabled: true } }, { distillation: { enabled: false } }],
    'sampling.strategy': [{ sampling: { strategy: 'uniform' } }, { sampling: { strategy: 'task-specific' } }],
    'evaluation.deploy_by': [{ evaluation: { deploy_by: 'validation' } }, { evaluation: { deploy_by: 'importance' } }],
  };
  for (const name of ablationNames) {
    const sets = ['methods', ...(ablations[name].sets ?? [])];
    for (const [setting, changes] of Object.entries(two)) {
      const [one, other] = changes.map((change) => studyOf(name, experiment(change), 1).variants);
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      assert.equal(sets.includes(setting), isSame, `${name}: ${setting}`);
    }
  }
});
