/** What a pretraining says and refuses before it trains. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { type ImagePretraining, pretrainingSchema } from '../../../src/config/schema/pretraining.js';
import type { Engine } from '../../../src/engine/engine.js';
import { pretrain } from '../../../src/experiment/pretrain/pretrain.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { fromScratch } from '../../../src/models/from-scratch.js';
import { writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { type Progress, silentProgress } from '../../../src/shared/progress.js';
import { Random } from '../../../src/shared/random.js';
import { requestError, temporaryFolder } from '../../models/pretrained/fixtures.js';

const engine = { name: 'onnxruntime', device: 'cpu', precision: 'float32' } as unknown as Engine;

test('what a data set leaves out is said, and a checkpoint that does not fit refused, before any anchor is trained', async (t) => {
  const folder = temporaryFolder(t);
  for (const place of ['train/a', 'train/b', 'val/a']) {
    await mkdir(path.join(folder, 'images', place), { recursive: true });
    await writeFile(path.join(folder, 'images', place, '0.png'), 'not decoded');
  }
  await writeFile(path.join(folder, 'images', 'train', 'stray.png'), '');
  const checkpoint = path.join(folder, 'tiny.safetensors');
  const tiny = fromScratch(architectureNamed('vit_mini_tiny_depth4'));
  await writeSafetensors(checkpoint, tiny.stateDictOf(tiny.fresh(2, Random.of(0))));
  const output = path.join(folder, 'output');
  const configOf = (changes: object) =>
    pretrainingSchema.parse({
      name: 'odd',
      data: { kind: 'image-folder', root: path.join(folder, 'images') },
      anchors: [
        { name: 'Ti', architecture: 'vit_mini_tiny_depth4' },
        { name: 'S', architecture: 'vit_mini_small_depth4', checkpoint },
      ],
      output,
      ...changes,
    }) as ImagePretraining;
  const lines: string[] = [];
  const progress: Progress = { ...silentProgress, line: (text) => lines.push(text) };
  const run = (changes: object = {}) =>
    pretrain(configOf(changes), { engine, progress, signal: new AbortController().signal });
  await assert.rejects(run(), requestError(/tiny\.safetensors holds a vision transformer with width 32/));
  for (const line of [
    "odd: val/ has no image of 1 of 2 classes: 'b'",
    'odd: 1 left out, in no class folder: train/stray.png',
  ]) {
    assert.ok(lines.includes(line), lines.join('\n'));
  }
  assert.deepEqual(
    (await readdir(output)).filter((name) => !name.startsWith('lock')),
    [],
  );
  await assert.rejects(
    run({ data: { kind: 'image-folder', root: path.join(folder, 'images'), image_size: 60 } }),
    requestError(/^data\.image_size: expected a multiple of the patch size/),
  );
});
