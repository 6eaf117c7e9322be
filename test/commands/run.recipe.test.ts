import assert from 'node:assert/strict';
import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { esta, projectRoot } from '../command-line.js';
import { temporaryFolder } from '../data/official/temporary-folder.js';

test('--dry-run prints the trials and computes nothing', async () => {
  const set = ['--set', 'name=dry', '--set', 'seeds=[0, 1]']; // runs/quickstart may be there, and finished
  const { status, stdout } = await esta(['run', 'experiments/quickstart.yaml', ...set, '--dry-run']);
  assert.equal(status, 0);
  assert.match(stdout, /^dry: 2 trials, run folder .*runs.dry\n/);
  assert.match(stdout, / {2}species-esta-seed0: \d+ epochs, about \d+ steps\n {2}species-esta-seed1: /);
});

test('--dry-run --json prints the plan', async () => {
  const args = ['run', 'experiments/fgvc.yaml', '--out', 'elsewhere', '--dry-run', '--json'];
  const { status, stdout, stderr } = await esta(args);
  const plan = JSON.parse(stdout);
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(plan.run, path.join(projectRoot, 'elsewhere'));
  const { recipe, ...planned } = plan.trials[0];
  assert.deepEqual(planned, {
    name: 'cub-200-2011-esta-seed0',
    dataset: 'cub-200-2011',
    method: 'esta',
    seed: 0,
    status: 'planned',
    grid_epochs: 400,
    epochs: 100,
    steps: 500 * 84, // 5395 images in batches of 64, the last one dropped
  });
  // The whole recipe of every shipped file stands in test/experiment/recipe.test.ts.
  assert.deepEqual(
    recipe.anchors.map(({ name }: { name: string }) => name),
    ['Ti', 'S', 'B'],
  );
});

test('a wrong value: line, allowed, received; exit status 2', async () => {
  const { status, stderr } = await esta(['run', 'experiments/quickstart.yaml', '--set', 'sampling.eta=2', '--dry-run']);
  assert.equal(status, 2);
  assert.match(stderr, /--set sampling\.eta=2: sampling\.eta: expected a number < 1, received 2\n/);
});

test('the command in the header of an experiment runs dry', async (t) => {
  const root = await temporaryFolder(t);
  for (const [split, images] of Object.entries({ train: 40, test: 1 })) {
    for (const name of ['iris', 'rose']) {
      await mkdir(path.join(root, split, name), { recursive: true });
      for (let image = 0; image < images; image++) await writeFile(path.join(root, split, name, `${image}.jpg`), '');
    }
  }
  const { status, stdout } = await esta([
    'run',
    'experiments/flowers12.yaml',
    '--set',
    `data.root=${root}`,
    '--dry-run',
    '--json',
  ]);
  assert.equal(status, 0);
  const plan = JSON.parse(stdout);
  assert.deepEqual(plan.missing, []);
  assert.equal(plan.trials[0].dataset, 'flowers12');
});

test('data sets that are there and cannot be used are refused before the first trains, all at once', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(path.join(folder, 'vtab'));
  const file = path.join(folder, 'three.yaml');
  const anchors = ['tiny', 'small'].map(
    (size) => `{ name: ${size}, architecture: vit_mini_${size}, checkpoint: embedded }`,
  );
  const species = '{ kind: species, name: drawn, classes: 2, train_images: 8, validation_images: 2, test_images: 2 }';
  const tasks = ['dtd', 'svhn'].map((task) => `{ kind: vtab-1k, task: ${task}, root: ${path.join(folder, 'vtab')} }`);
  const data = [species, ...tasks].join(', ');
  const training = '{ epochs: 1, base_learning_rates: [1.0e-2], batch_size: 8 }';
  await writeFile(
    file,
    `name: three\nanchors: [${anchors.join(', ')}]\ndata: [${data}]\nadaptation: { ranks: [4, 4] }\ntraining: ${training}\n`,
  );
  const out = path.join(folder, 'run');
  for (const [flags, stream] of [
    [['--dry-run'], 'stdout'],
    [[], 'stderr'],
  ] as const) {
    const ended = await esta(['run', file, '--out', out, ...flags]);
    assert.equal(ended.status, 2, ended.stderr);
    for (const task of ['dtd', 'svhn'])
      assert.match(ended[stream], new RegExp(`data set vtab-${task}: .*no folder ${task}`));
    assert.doesNotMatch(ended.stderr, / at .*\.js/, 'no stack');
    await assert.rejects(access(out), 'nothing is written');
  }
});
