/** What `esta run --dry-run` says: steps, epochs, what is missing. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { formatPlan, planOf } from '../../src/experiment/plan.js';
import { temporaryFolder } from '../data/official/temporary-folder.js';

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

test('images of a folder that is there are counted; one that is not as it has to be has no number of steps', async (t) => {
  const root = await temporaryFolder(t);
  for (const [folder, count] of [
    ['train/a', 5],
    ['train/b', 5],
    ['val/a', 2],
    ['test/a', 1],
    ['test/b', 1],
  ] as const) {
    await mkdir(path.join(root, folder), { recursive: true });
    for (let index = 0; index < count; index++) await writeFile(path.join(root, folder, `${index}.jpg`), '');
  }
  const stepsOf = async (data: object, seeds = [0]) => {
    const training = { epochs: 3, batch_size: 4, base_learning_rates: [1e-3] };
    const { trials } = await planOf(
      experiment({ data: { kind: 'image-folder', ...data }, training, seeds }),
      '/runs/x',
      [],
      { countsFolders: true },
    );
    return trials.map(({ steps }) => steps);
  };
  assert.deepEqual(await stepsOf({ root }), [3 * 2]);
  assert.deepEqual(await stepsOf({ root, shots: 2 }, [0, 1]), [3, 3]);
  assert.deepEqual(await stepsOf({ root: path.join(root, 'train') }), [undefined]);
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
  const there = await planOf(experiment({ data: { kind: 'image-folder', root: '.' } }), '/runs/x');
  assert.deepEqual(there.missing, ['checkpoint of anchor S: /nowhere/s.safetensors is not there']);
  const plan = await planOf(experiment(), '/runs/x');
  assert.deepEqual(plan.missing, [
    'data set cub-200-2011: /nowhere/cub is not there',
    'checkpoint of anchor S: /nowhere/s.safetensors is not there',
  ]);
  assert.match(formatPlan(plan), /2 trials, run folder \/runs\/x\n.*best of 0\.0001.*Missing:\n {2}data set cub/s);
});

test('the plan for people', async () => {
  const data = { kind: 'species', classes: 2, train_images: 32 };
  const checkpoint = 'embedded';
  const anchors = ['tiny', 'small'].map((name) => ({ name, architecture: `vit_mini_${name}`, checkpoint }));
  const shown = async (training: object, more: object = {}) =>
    formatPlan(await planOf(experiment({ data, anchors, training, ...more }), '/runs/x'));
  // 64 images are one batch.
  assert.equal(
    await shown({ epochs: 1, base_learning_rates: [0.1] }),
    [
      'planned: 1 trial, run folder /runs/x',
      'base learning rate: 0.1',
      '',
      '  species-esta-seed0: 1 epoch, about 1 step',
    ].join('\n'),
  );
  assert.equal(
    await shown({ epochs: 3, grid_epochs: 2, base_learning_rates: [0.1, 0.2] }, { seeds: [0, 1] }),
    [
      'planned: 2 trials, run folder /runs/x',
      'base learning rate: the best of 0.1, 0.2 on the validation split',
      '',
      ...[0, 1].map(
        (seed) => `  species-esta-seed${seed}: 4 epochs in 2 runs of the grid, then 3 epochs, about 7 steps`,
      ),
    ].join('\n'),
  );
  const folder = { kind: 'image-folder', root: '/nowhere' };
  assert.equal(
    await shown({ epochs: 2, base_learning_rates: [0.1] }, { data: folder }),
    [
      'planned: 1 trial, run folder /runs/x',
      'base learning rate: 0.1',
      '',
      '  image-folder-esta-seed0: 2 epochs',
      '',
      'Missing:',
      '  data set image-folder: /nowhere is not there',
    ].join('\n'),
  );
});

test('variants are named, trials of the experiment itself are not', async () => {
  const changed = experiment({ seeds: [3] });
  const { trials } = await planOf(experiment(), '/runs/x', [{ name: 'eta 0.8', experiment: changed }]);
  assert.deepEqual(
    trials.map(({ variant, seed, name }) => [variant, seed, name]),
    [
      ['eta 0.8', 3, 'species-esta-eta-0.8-seed3'],
      ['eta 0.8', 3, 'cub-200-2011-esta-eta-0.8-seed3'],
    ],
  );
  const [plain] = (await planOf(experiment(), '/runs/x')).trials;
  assert.ok(!('variant' in plain!));
});

test('a list of training images that is there is counted, one that is not leaves the steps unknown', async (t) => {
  const root = await temporaryFolder(t);
  const list = path.join(root, 'list-0.txt');
  const data = { kind: 'stanford-cars', root, training_list: path.join(root, 'list-{seed}.txt') };
  const training = { epochs: 1, batch_size: 2, base_learning_rates: [0.1, 0.2], grid_epochs: 1 };
  const steps = async (final_on: string) => {
    const { trials } = await planOf(experiment({ data, training: { ...training, final_on } }), '/runs/x');
    return trials[0]!.steps;
  };
  assert.equal(await steps('train'), undefined);
  await writeFile(list, 'a.jpg 0\nb.jpg 1\nc.jpg 2\nd.jpg 3\n');
  assert.equal(await steps('train'), 2 + 2 * 2, 'four images: two batches in the final run and in each of the grid');
  // Of 8144 images a tenth is held out, which the final run takes too: 814 with the four that are listed.
  assert.equal(await steps('train+validation'), Math.floor((4 + 814) / 2) + 2 * 2);
});

test('texts that are made are counted, a file of instructions is not read', async () => {
  const text = { cutoff: 64, micro_batch_size: 2 };
  const anchors = ['small', 'base'].map((name) => ({ name, architecture: `llama_mini_${name}` }));
  const of = async (data: object, final_on: string) => {
    const training = { epochs: 3, batch_size: 4, base_learning_rates: [0.1], final_on };
    const plan = await planOf(experiment({ anchors, data, text, training }), '/runs/x');
    return { steps: plan.trials[0]!.steps, missing: plan.missing };
  };
  const words = { kind: 'word-tasks', train_texts: 8, validation_texts: 4 };
  assert.deepEqual(await of(words, 'train'), { steps: 3 * 2, missing: [] });
  const file = { kind: 'instructions', file: '/nowhere/alpaca.json', validation_texts: 4 };
  assert.deepEqual(await of(file, 'train'), {
    steps: undefined,
    missing: ['data set instructions: /nowhere/alpaca.json is not there'],
  });
});
