/** Every file that is shipped in experiments/ is valid, explains itself, and can be planned. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { loadExperiment, loadPretraining } from '../src/config/load.js';
import { planOf, runFolderOf } from '../src/config/plan.js';
import { architectureNamed } from '../src/models/architectures.js';
import { esta, projectRoot } from './command-line.js';

const folder = path.join(projectRoot, 'experiments');
const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml'));

test('the documented experiments are there', () => {
  for (const name of ['quickstart.yaml', 'flowers12.yaml', 'fgvc.yaml', 'convnext-fgvc.yaml', 'pretrain-mini.yaml']) {
    assert.ok(files.includes(name), name);
  }
});

for (const name of files) {
  test(`${name} is valid and says what it claims`, async () => {
    const file = path.join(folder, name);
    const header = (await readFile(file, 'utf8')).split(/^[^#]/m)[0]!;
    for (const heading of ['Claim', 'Command', 'Cost', 'Deviates']) {
      if (heading === 'Cost' && name.startsWith('pretrain')) continue;
      assert.match(header, new RegExp(`^# ${heading} `, 'm'));
    }
    const command = new RegExp(`^# Command +esta (run|pretrain) experiments/${name}`, 'm').exec(header)?.[1];
    assert.ok(command, 'the header gives the command');
    const { config } = command === 'run' ? await loadExperiment(file) : await loadPretraining(file);
    assert.equal(config.name, path.basename(name, '.yaml'));
    const params = config.anchors.map(({ architecture }) =>
      architectureNamed(architecture).blocks.reduce((sum, block) => sum + block.params, 0),
    );
    assert.deepEqual(
      params,
      params.toSorted((a, b) => a - b),
      'anchors stand from small to large',
    );
  });
}

test('a one-epoch trial of every experiment needs one option', async () => {
  for (const name of files.filter((file) => !file.startsWith('pretrain'))) {
    const { config } = await loadExperiment(path.join(folder, name), { set: ['training.epochs=1'] });
    const plan = await planOf(config, runFolderOf(config));
    for (const trial of plan.trials) {
      // Anchors that are trained alone take an epoch each.
      const trainings = trial.method === 'anchor-lora' ? config.anchors.length : 1;
      assert.equal(trial.epochs, trainings);
      assert.ok(trial.grid_epochs <= trainings * plan.base_learning_rates.length);
    }
  }
});

test('the commands of the headers run dry', async () => {
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
