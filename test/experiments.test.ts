/** Every file that is shipped in experiments/ is valid, explains itself, and can be planned. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { loadExperiment, loadPretraining } from '../src/config/load.js';
import { runFolderOf } from '../src/config/trials.js';
import { planOf } from '../src/experiment/plan.js';
import type { AblationName } from '../src/experiment/studies/ablation.js';
import { studyOf } from '../src/experiment/studies/study.js';
import type { Architecture } from '../src/models/architecture.js';
import { architectureNamed } from '../src/models/architectures.js';
import { llamaArchitecture } from '../src/models/llama/architecture.js';
import { llamaNamed, llamaNames } from '../src/models/llama/variants.js';
import { projectRoot } from './command-line.js';

const folder = path.join(projectRoot, 'experiments');
const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml'));

async function headerOf(name: string): Promise<string> {
  return (await readFile(path.join(folder, name), 'utf8')).split(/^[^#]/m)[0]!;
}

/** The first command of a header, and the study that it names: run, pretrain, or ablate STUDY. */
function commandOf(header: string, name: string): { readonly study: string | undefined } | undefined {
  const command = /^# Command +esta (?:run|pretrain|ablate (?<study>\S+) --experiment) experiments\/(?<file>\S+)/m;
  const { study, file } = command.exec(header)?.groups ?? {};
  return file === name ? { study } : undefined;
}

/** Of images or of text, as its name says. */
function networkNamed(name: string): Architecture {
  return llamaNames.includes(name) ? llamaArchitecture(name, llamaNamed(name), 256) : architectureNamed(name);
}

test('the documented experiments are there', () => {
  const paper = ['fgvc', 'vtab1k', 'cifar100', 'fewshot-cars', 'convnext-fgvc', 'gradient-angles'];
  const studies = ['distillation', 'eta', 'adapt-then-stitch', 'lora'].map((study) => `ablation-${study}`);
  const small = [
    'quickstart',
    'flowers12',
    'pretrain-mini',
    'pretrain-convnext-mini',
    'pretrain-llama-mini',
    'mini/vtab1k',
    'mini/fewshot',
    'mini/gradient-angles',
    'mini/study',
    'mini/convnext',
    'mini/alpaca',
    'stitched-llama',
  ];
  for (const name of [...paper, ...studies, ...small]) assert.ok(files.includes(`${name}.yaml`), name);
});

for (const name of files) {
  test(`${name} is valid and says what it claims`, async () => {
    const file = path.join(folder, name);
    const header = await headerOf(name);
    for (const heading of ['Claim', 'Command', 'Cost', 'Deviates']) {
      if (heading === 'Cost' && name.startsWith('pretrain')) continue;
      assert.match(header, new RegExp(`^# ${heading} `, 'm'));
    }
    assert.ok(commandOf(header, name), 'the header gives the command');
    const { config } = name.startsWith('pretrain') ? await loadPretraining(file) : await loadExperiment(file);
    assert.equal(config.name, name.replace('.yaml', '').replaceAll('/', '-'));
    const params = config.anchors.map(({ architecture }) =>
      networkNamed(architecture).blocks.reduce((sum, block) => sum + block.params, 0),
    );
    assert.deepEqual(
      params,
      params.toSorted((a, b) => a - b),
      'anchors stand from small to large',
    );
  });
}

test('an experiment of a study holds all its variants, and gives the run folder its name', async () => {
  for (const name of files) {
    const study = commandOf(await headerOf(name), name)?.study as AblationName | undefined;
    assert.equal(study !== undefined, name.startsWith('ablation-'), name);
    if (!study) continue;
    const { config } = await loadExperiment(path.join(folder, name));
    const { experiment, variants } = studyOf(study, config, 1);
    const { run, trials } = await planOf(experiment, runFolderOf(experiment), variants);
    assert.equal(path.basename(run), path.basename(name, '.yaml'));
    assert.equal(trials.length, config.data.length * config.seeds.length * variants.length);
  }
});

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
