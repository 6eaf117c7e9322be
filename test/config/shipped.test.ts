import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadExperiment, loadPretraining } from '../../src/config/load.js';
import { experimentHint, experimentNamed, shippedExperiment } from '../../src/config/shipped.js';
import { projectRoot } from '../command-line.js';

const folder = await mkdtemp(path.join(tmpdir(), 'esta-shipped-'));
after(() => rm(folder, { recursive: true }));

const shipped = (name: string) => path.join(projectRoot, 'experiments', name);

test('shipped experiments are known by name in any folder', async () => {
  for (const given of ['quickstart', 'quickstart.yaml', 'experiments/quickstart.yaml']) {
    const { file, config } = await loadExperiment(given, { workingFolder: folder });
    assert.deepEqual([file, config.name], [shipped('quickstart.yaml'), 'quickstart'], given);
  }
  assert.equal((await experimentNamed('mini/fgvc', folder))?.file, shipped('mini/fgvc.yaml'));
  assert.equal((await loadPretraining('pretrain-mini', { workingFolder: folder })).config.name, 'pretrain-mini');
  for (const given of ['./quickstart', '../quickstart', '/quickstart', 'fgvc/mini', 'quick.yamlstart', '']) {
    assert.equal(await experimentNamed(given, folder), undefined, given);
  }
});

test('the path of a shipped file, by its name', async () => {
  assert.equal(await shippedExperiment('mini/fgvc.yaml'), shipped('mini/fgvc.yaml'));
});

test('its data lie where they would beside an experiments folder of the user', async () => {
  // The file says `root: ../data/cifar-100`.
  const { config } = await loadExperiment('cifar100', { workingFolder: folder });
  const [dataset] = config.data;
  assert.ok(dataset && 'root' in dataset);
  assert.equal(dataset.root, path.join(folder, 'data/cifar-100'));
});

test('a file or folder of the user comes first; only a folder gives way to a name', async () => {
  const own = path.join(folder, 'own');
  await mkdir(path.join(own, 'quickstart'), { recursive: true });
  assert.equal((await loadExperiment('quickstart', { workingFolder: own })).file, shipped('quickstart.yaml'));
  await writeFile(path.join(own, 'fgvc.yaml'), 'nonsense: 1');
  await assert.rejects(loadExperiment('fgvc.yaml', { workingFolder: own }), /nonsense/);
});

test('the hint names what is near, else the names that the command can use', async () => {
  assert.match((await experimentHint('experiments/quikstart.yaml', 'run'))!, /^Did you mean quickstart\?/);
  assert.match((await experimentHint('other/flower12', 'run'))!, /^Did you mean flowers12\?/);
  const hint = (await experimentHint('nothing-like-it', 'run'))!;
  assert.match(hint, / ablation-distillation, .*, fgvc, .*mini\/study/);
  assert.doesNotMatch(hint, /\.yaml|pretrain/);
  assert.match(
    (await experimentHint('nothing-like-it', 'pretrain'))!,
    /: pretrain-convnext-mini, pretrain-llama-mini, pretrain-mini\.$/,
  );
});
