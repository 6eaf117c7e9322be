import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studyOf } from '../../../src/experiment/studies/study.js';
import { experiment } from './studied.js';

test('what an experiment rules out is left out of a study, with the reason; one that compares nothing is refused', () => {
  const text = (weights: string) => experiment({ data: { kind: 'word-tasks' }, text: { weights } });
  const namesOf = (names: readonly string[]) => [...new Set(names.map((name) => name.split(' for ')[0]!))];
  const frozen = studyOf('length', text('8bit'), 1);
  assert.deepEqual(namesOf(frozen.variants.map(({ name }) => name)), ['ESTA', 'Anchors with LoRA', 'LoRA', 'SS-LoRA']);
  assert.deepEqual(namesOf(frozen.leftOut), ['ESTA, 3 stitches a step', 'SN-Net', 'Adapt-then-stitch']);
  assert.equal(
    frozen.leftOut.at(-1),
    'Adapt-then-stitch for 100 epochs: text.weights: expected float32 for adapt-then-stitch, which changes the weights, received 8bit',
  );
  assert.deepEqual(namesOf(studyOf('length', text('float32'), 1).leftOut), ['ESTA, 3 stitches a step']);
  assert.throws(() => studyOf('adapt-then-stitch', text('8bit'), 1), {
    name: 'RequestError',
    message:
      'the study adapt-then-stitch compares nothing with these settings:\n' +
      '  adapt-then-stitch: text.weights: expected float32 for adapt-then-stitch, which changes the weights, received 8bit\n' +
      '  adapt, then SN-Net: text.weights: expected float32 for adapt-then-sn-net, which changes the weights, received 8bit',
  });
  // SN-Net and 'all evaluated' choose on the validation images.
  const learned = experiment({ training: { final_on: 'train+validation' } });
  assert.deepEqual(namesOf(studyOf('length', learned, 1).leftOut), ['SN-Net']);
  assert.deepEqual(
    studyOf('sampling', learned, 1).variants.map(({ name }) => name),
    ['task-specific sampling', 'uniform sampling'],
  );
  assert.deepEqual(studyOf('length', experiment(), 1).leftOut, []);
});

test('seeds count up from the one of the experiment, or are those it lists', () => {
  assert.deepEqual(studyOf('eta', experiment({ seeds: [5] }), 3).experiment.seeds, [5, 6, 7]);
  assert.deepEqual(studyOf('eta', experiment({ seeds: [1, 4] }), 3).experiment.seeds, [1, 4]);
});

test('a file that is written for a study gives the run folder its own name', () => {
  assert.equal(studyOf('eta', experiment({ name: 'mini-ablation-eta' }), 1).experiment.name, 'mini-ablation-eta');
  assert.equal(studyOf('lora', experiment({ name: 'ablation-eta' }), 1).experiment.name, 'ablation-eta-ablate-lora');
});
