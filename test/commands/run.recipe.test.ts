import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { esta, projectRoot } from '../command-line.js';

test('--dry-run prints the trials and computes nothing', async () => {
  const { status, stdout } = await esta(['run', 'experiments/quickstart.yaml', '--set', 'seeds=[0, 1]', '--dry-run']);
  assert.equal(status, 0);
  assert.match(stdout, /^quickstart: 2 trials, run folder .*runs.quickstart\n/);
  assert.match(stdout, / {2}species-esta-seed0: \d+ epochs, about \d+ steps\n {2}species-esta-seed1: /);
});

test('--dry-run --json prints the plan', async () => {
  const args = ['run', 'experiments/fgvc.yaml', '--out', 'elsewhere', '--dry-run', '--json'];
  const { status, stdout, stderr } = await esta(args);
  const plan = JSON.parse(stdout);
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(plan.run, path.join(projectRoot, 'elsewhere'));
  assert.deepEqual(plan.trials[0], {
    name: 'cub-200-2011-esta-seed0',
    dataset: 'cub-200-2011',
    method: 'esta',
    seed: 0,
    status: 'planned',
    grid_epochs: 400,
    epochs: 100,
    steps: 500 * 84, // 5395 images in batches of 64, the last one dropped
  });
});

test('a wrong value: line, allowed, received; exit status 2', async () => {
  const { status, stderr } = await esta(['run', 'experiments/quickstart.yaml', '--set', 'sampling.eta=2', '--dry-run']);
  assert.equal(status, 2);
  assert.match(stderr, /--set sampling\.eta=2: sampling\.eta: expected a number < 1, received 2\n/);
});

test('the command in the header of an experiment runs dry', async () => {
  const { status, stdout } = await esta([
    'run',
    'experiments/flowers12.yaml',
    '--set',
    'data.root=experiments', // some folder that is there
    '--dry-run',
    '--json',
  ]);
  assert.equal(status, 0);
  const plan = JSON.parse(stdout);
  assert.deepEqual(plan.missing, []);
  assert.equal(plan.trials[0].dataset, 'flowers12');
});
