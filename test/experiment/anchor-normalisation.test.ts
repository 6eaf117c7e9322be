import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { withAnchorNormalisation } from '../../src/experiment/anchor-normalisation.js';
import { writeSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { float32 } from '../../src/shared/arrays.js';
import { requestError, temporaryFolder } from '../models/pretrained/fixtures.js';

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** As much of a vision transformer's file as tells its size. */
async function writeAnchor(folder: string, width: number, config?: object): Promise<void> {
  mkdirSync(folder);
  const norms = Array.from({ length: 12 }, (_, index) => [`blocks.${index}.norm1.bias`, float32([width])] as const);
  await writeSafetensors(path.join(folder, 'model.safetensors'), {
    ...Object.fromEntries(norms),
    cls_token: float32([1, 1, width]),
    'patch_embed.proj.weight': float32([width, 3, 16, 16]),
    'decoder.weight': float32([1]),
  });
  if (config) writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
}

interface Given {
  readonly configs?: readonly [object, object];
  /** Of the experiment. */
  readonly preprocessing?: object;
}

async function normalised(t: TestContext, { configs, preprocessing = {} }: Given) {
  const folder = temporaryFolder(t);
  await writeAnchor(path.join(folder, 'one'), 192, configs?.[0]);
  await writeAnchor(path.join(folder, 'two'), 384, configs?.[1]);
  const file = path.join(folder, 'experiment.yaml');
  const content = {
    name: 'normalisation',
    anchors: [
      { name: 'Ti', architecture: 'vit_tiny_patch16_224', checkpoint: path.join(folder, 'one') },
      { name: 'S', architecture: 'vit_small_patch16_224', checkpoint: path.join(folder, 'two') },
    ],
    data: { kind: 'species' },
    adaptation: { ranks: [2, 2] },
    preprocessing,
  };
  writeFileSync(file, JSON.stringify(content)); // JSON is YAML
  const { config } = await loadExperiment(file);
  const notes: string[] = [];
  return { config, result: await withAnchorNormalisation(config, (note) => notes.push(note)), notes };
}

test('mean and std beside the weights of the anchors become those of the experiment', async (t) => {
  const { result, notes } = await normalised(t, { configs: [imagenet, imagenet] });
  const { mean, std } = result.preprocessing;
  assert.deepEqual({ mean, std }, imagenet);
  assert.match(notes.at(-1)!, /normalised as the anchors were pretrained: mean 0\.485, 0\.456, 0\.406/);
});

test('what the architecture assumes anyway changes nothing; what is not used is said once', async (t) => {
  const half = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  const { config, result, notes } = await normalised(t, { configs: [half, half] });
  assert.equal(result, config);
  assert.equal(notes.length, 2);
  for (const note of notes) assert.match(note, /not used, .*decoder\.weight/);
});

test('where nothing tells, what is assumed is said, unless the experiment states it', async (t) => {
  const silent = await normalised(t, {});
  assert.equal(silent.result, silent.config);
  assert.equal(silent.notes.filter((note) => /assumed: mean 0\.5, 0\.5, 0\.5/.test(note)).length, 2);
  const stated = await normalised(t, { preprocessing: imagenet });
  assert.equal(stated.result, stated.config);
  assert.equal(stated.notes.filter((note) => note.includes('assumed')).length, 0);
});

test('anchors that were normalised in different ways are refused, unless the experiment says how', async (t) => {
  const other = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  await assert.rejects(
    normalised(t, { configs: [imagenet, other] }),
    requestError(/Ti: mean 0\.485.*; S: mean 0\.5.*\n.*set preprocessing\.mean/),
  );
  const stated = await normalised(t, { configs: [imagenet, other], preprocessing: imagenet });
  assert.equal(stated.result, stated.config);
});
