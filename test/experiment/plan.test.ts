import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { formatPlan, planOf } from '../../src/experiment/plan.js';

const experiment = (more: object = {}) =>
  experimentSchema.parse({
    name: 'planned',
    anchors: [
      { name: 'Ti', architecture: 'vit_mini_tiny' },
      { name: 'S', architecture: 'vit_mini_small', checkpoint: '/nowhere/s.safetensors' },
    ],
    data: [{ kind: 'species' }, { kind: 'cub-200-2011', root: '/nowhere/cub' }],
    adaptation: { ranks: [1, 1] },
    ...more,
  });

test('steps count the grid and the final run', async () => {
  const plan = await planOf(experiment({ training: { epochs: 10, grid_epochs: 4 } }), '/runs/x');
  // 24 species x 100 images = 2400, 37 whole batches of 64; CUB: 90 % of 5994 = 5395 (VPT: 5394), 84 batches.
  // Grid: 4 learning rates x 4 epochs; final run: 10 epochs.
  assert.deepEqual(
    plan.trials.map(({ grid_epochs, epochs, steps }) => [grid_epochs, epochs, steps]),
    [
      [16, 10, 26 * 37],
      [16, 10, 26 * 84],
    ],
  );
});

test('few shots are counted class by class, and the data set is named after them', async () => {
  const cars = { kind: 'stanford-cars', root: '/nowhere' };
  const data = [
    { kind: 'species', shots: 8 },
    { ...cars, shots: 1 },
    { ...cars, shots: 100 },
  ];
  const training = { epochs: 1, batch_size: 4, base_learning_rates: [1e-3], final_on: 'train+validation' };
  const { trials } = await planOf(experiment({ data, training }), '/runs/x');
  // 24 species x (8 + 4 for validation); 196 cars x (1 + 1); no more cars than there are.
  assert.deepEqual(
    trials.map(({ dataset, steps }) => [dataset, steps]),
    [
      ['species-8-shot', (24 * 12) / 4],
      ['stanford-cars-1-shot', (196 * 2) / 4],
      ['stanford-cars-100-shot', 8144 / 4],
    ],
  );
});

test('no grid with one learning rate; the final run may take the validation images', async () => {
  const training = { epochs: 10, base_learning_rates: [1e-3], final_on: 'train+validation' };
  const plan = await planOf(experiment({ training }), '/runs/x');
  // 24 x 110 = 2640: 41 whole batches; 5994: 93.
  assert.deepEqual(
    plan.trials.map(({ grid_epochs, steps }) => [grid_epochs, steps]),
    [
      [0, 410],
      [0, 930],
    ],
  );
});

test('a method that adapts anchors alone has a stage for each', async () => {
  const training = { epochs: 10, anchor_epochs: 30, base_learning_rates: [1e-3, 2e-3], grid_epochs: 20 };
  const methods = ['anchor-lora', 'adapt-then-stitch'];
  const plan = await planOf(experiment({ data: { kind: 'species' }, methods, training }), '/runs/x');
  // The grid is cut to the 10 epochs of the stitched network first, so that each of its runs has 10.
  assert.deepEqual(
    plan.trials.map(({ name, grid_epochs, epochs }) => [name, grid_epochs, epochs]),
    [
      ['species-anchor-lora-seed0', 2 * 2 * 10, 2 * 30],
      ['species-adapt-then-stitch-seed0', 3 * 2 * 10, 2 * 30 + 10],
    ],
  );
});

test('steps of a folder of images are not known before it is read', async () => {
  const [trial] = (await planOf(experiment({ data: { kind: 'image-folder', root: '.' } }), '/runs/x')).trials;
  assert.ok(trial && !('steps' in trial));
});

test('what is not there is listed', async () => {
  const plan = await planOf(experiment(), '/runs/x');
  assert.deepEqual(plan.missing, [
    'data set cub-200-2011: /nowhere/cub is not there',
    'checkpoint of anchor S: /nowhere/s.safetensors is not there',
  ]);
  assert.match(formatPlan(plan), /2 trials, run folder \/runs\/x\n.*best of 0\.0001.*Missing:\n {2}data set cub/s);
});
