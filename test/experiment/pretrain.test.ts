/** A whole pretraining at the smallest size: twice the same numbers, a finished anchor is not trained again. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { pretrainingSchema } from '../../src/config/pretrain-schema.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { pretrain } from '../../src/experiment/pretrain.js';
import { readSafetensors } from '../../src/models/checkpoint/safetensors.js';
import { silentProgress } from '../../src/shared/progress.js';

async function drawFolder(root: string): Promise<void> {
  for (const split of ['train', 'val']) {
    for (const [label, name] of ['dark', 'light'].entries()) {
      const folder = path.join(root, split, name);
      await mkdir(folder, { recursive: true });
      for (let index = 0; index < 6; index++) {
        const background = { r: 200 * label, g: 20 * index, b: 100 };
        const image = sharp({ create: { width: 64, height: 64, channels: 3, background } });
        await image.png().toFile(path.join(folder, `${index}.png`));
      }
    }
  }
}

test('a pretraining is repeatable, writes anchors that can be read, and does not repeat itself', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-pretrain-'));
  await drawFolder(path.join(folder, 'images'));
  const run = async (output: string) => {
    const config = pretrainingSchema.parse({
      name: 'smallest',
      data: { kind: 'image-folder', root: path.join(folder, 'images') },
      anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny' }],
      training: { epochs: 2, warmup_epochs: 1, batch_size: 4 },
      output: path.join(folder, output),
    });
    const engine = await createOnnxEngine({ threads: 1 });
    const results = await pretrain(config, engine, silentProgress);
    await engine.dispose();
    return results[0]!;
  };
  const first = await run('first');
  const second = await run('second');
  assert.deepEqual(await readFile(first.file), await readFile(second.file));
  assert.ok(first.accuracy >= 0 && first.accuracy <= 100);
  const { tensors, metadata } = await readSafetensors(first.file);
  assert.equal(Object.keys(tensors).length, 152);
  assert.equal(metadata['architecture'], 'vit_mini_tiny');
  const start = performance.now();
  assert.equal((await run('first')).accuracy, Number(first.accuracy.toFixed(2)));
  assert.ok(performance.now() - start < 30_000);
  const lines = (await readFile(path.join(folder, 'first', 'metrics.jsonl'), 'utf8')).trim().split('\n');
  assert.equal(lines.length, 2, 'two epochs, not four: the finished anchor was not trained again');
  await rm(folder, { recursive: true });
});
