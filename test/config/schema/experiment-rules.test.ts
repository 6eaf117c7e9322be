/** What no field of an experiment can say alone: where the problem is reported, and in which words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';

const smallest = {
  name: 'smallest',
  anchors: ['Ti', 'S'].map((name) => ({ name, architecture: name })),
  data: { kind: 'species' },
  adaptation: { ranks: [4, 2] },
};

/** Problems as `path: message`; [] where the experiment is right. */
function problemsOf(changes: object): string[] {
  const { error } = experimentSchema.safeParse({ ...smallest, ...changes });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('names and numbers of a list occur once', () => {
  assert.deepEqual(problemsOf({}), []);
  assert.deepEqual(problemsOf({ seeds: [0, 1, 0] }), ['seeds: seed 0 is listed twice; each must be there once']);
  const twice = (...names: readonly string[]) => names.map((name) => ({ name, kind: 'species' }));
  assert.deepEqual(problemsOf({ data: twice('a', 'b', 'a') }), [
    'data: data set a is listed twice; each must be there once',
  ]);
  assert.deepEqual(problemsOf({ data: twice('a', 'b') }), []);
  assert.deepEqual(problemsOf({ training: { base_learning_rates: [1e-2, 1e-3, 0.01] } }), [
    'training.base_learning_rates: learning rate 0.01 is listed twice; each must be there once',
  ]);
});

test('a number does not exceed the one that bounds it; where one is left out nothing is compared', () => {
  assert.deepEqual(problemsOf({ preprocessing: { crop: 64, resize: 64 } }), []);
  assert.deepEqual(problemsOf({ preprocessing: { crop: 65, resize: 64 } }), [
    'preprocessing.crop: expected at most preprocessing.resize (64), received 65',
  ]);
  assert.deepEqual(
    [...problemsOf({ preprocessing: { crop: 64 } }), ...problemsOf({ preprocessing: { resize: 8 } })],
    [],
  );
  assert.deepEqual(problemsOf({ training: { epochs: 4 }, sampling: { warmup_epochs: 5 } }), [
    'sampling.warmup_epochs: expected at most training.epochs (4), received 5',
  ]);
});

test('what SN-Net cannot be deployed by is reported where it is said', () => {
  const [problem, ...others] = problemsOf({ methods: ['sn-net'], evaluation: { deploy_by: 'importance' } });
  assert.match(problem!, /^evaluation\.deploy_by: expected validation, or nothing/);
  assert.deepEqual(others, []);
});

test('nothing is compared on images that have been learned', () => {
  const of = (final_on: string, leave_out_beaten: boolean) =>
    problemsOf({ training: { final_on }, evaluation: { leave_out_beaten } });
  assert.deepEqual(of('train+validation', true), [
    'evaluation.leave_out_beaten: expected false: with training.final_on train+validation the validation images have been learned',
  ]);
  assert.deepEqual([...of('train+validation', false), ...of('train', true)], []);
  const deployed = (deploy_by: string) =>
    problemsOf({ training: { final_on: 'train+validation' }, evaluation: { deploy_by } });
  assert.deepEqual(deployed('validation'), [
    'evaluation.deploy_by: expected importance: with training.final_on train+validation the validation images have been learned',
  ]);
  assert.deepEqual(deployed('importance'), []);
  const compared = (final_on: string) => problemsOf({ methods: ['esta', 'sn-net'], training: { final_on } });
  assert.deepEqual(compared('train+validation'), [
    'methods: expected no sn-net with training.final_on train+validation: it deploys by accuracy on the validation images, which have been learned',
  ]);
  assert.deepEqual(compared('train'), []);
});

test('the sources of pretraining are data sets of the file', () => {
  const angles = (...source: readonly string[]) => ({ evaluation: { gradient_angles: { source } } });
  assert.deepEqual(problemsOf(angles('species')), []);
  assert.deepEqual(problemsOf(angles()), []);
  assert.deepEqual(problemsOf({ evaluation: { gradient_angles: {} } }), []);
  assert.deepEqual(problemsOf(angles('species', 'imagenet')), [
    'evaluation.gradient_angles.source: expected names of data sets (species), received imagenet',
  ]);
});

test('means and deviations that count from 0 to 255 are refused, with what to do', () => {
  const imagenet = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };
  const problems = problemsOf({ preprocessing: imagenet });
  assert.equal(problems.length, 6);
  assert.match(problems[0]!, /^preprocessing\.mean\.0: expected a number <= 1, as .* \[0, 1\]: divide it by 255/);
  assert.match(problems[3]!, /^preprocessing\.std\.0: .*divide it by 255/);
  assert.match(problemsOf({ preprocessing: { mean: [-0.1, 0, 0] } }).join(), /^preprocessing\.mean\.0: .*0$/);
  assert.deepEqual(problemsOf({ preprocessing: { mean: [0, 0, 0], std: [1, 1, 1] } }), []);
});

test('channels are three, their deviations not almost nothing; edges of bins are two', () => {
  const [low, right] = [
    [0.5, 0.5, 0.0009],
    [0.485, 0.456, 0.001],
  ];
  assert.deepEqual(problemsOf({ preprocessing: { mean: right, std: right }, sampling: { bin_edges: [3, 4] } }), []);
  assert.match(problemsOf({ preprocessing: { std: low } }).join(), /^preprocessing\.std\.2: [^,]*$/);
  for (const [section, changes] of Object.entries({
    'preprocessing.mean': { preprocessing: { mean: [0.5] } },
    'preprocessing.std': { preprocessing: { std: [0.5, 0.5, 0.5, 0.5] } },
    'sampling.bin_edges': { sampling: { bin_edges: [3] } },
  })) {
    assert.ok(problemsOf(changes).length > 0 && problemsOf(changes).every((problem) => problem.startsWith(section)));
  }
});
