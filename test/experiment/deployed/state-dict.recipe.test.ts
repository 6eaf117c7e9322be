/** The state dict of a stitch: timm's names where it is an anchor, and PyTorch computes the same logits from it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { bind } from '../../../src/engine/bind.js';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { exportStateDict, stateDictOf } from '../../../src/experiment/deployed/state-dict.js';
import { openTrial } from '../../../src/experiment/deployed/trained-trial.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { readSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { publishedShapes } from '../../../src/models/tensor-table.js';
import { float32 } from '../../../src/shared/arrays.js';
import { projectRoot } from '../../command-line.js';
import { miniature } from '../miniature.js';

/** TEST_PYTHON: one that has PyTorch. */
const python = process.env['TEST_PYTHON'] ?? '/usr/bin/python3';
const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0;

/** Logits of an image whose channel c of pixel (y, x) is sin(3 (64 y + x) + c). */
const script = `
import json, sys, torch
sys.path.insert(0, sys.argv[1])
from read_stitch import load, run
weights, metadata = load(sys.argv[2])
images = torch.sin(torch.arange(64 * 64 * 3, dtype=torch.float32)).reshape(1, 64, 64, 3)
print(json.dumps(run(weights, metadata["segments"], images)[0].tolist()))`;

for (const family of ['vit', 'convnext'] as const) {
  test(`the state dict of ${family} stitches`, async (t) => {
    const mini = await miniature(t);
    const anchors = (['Ti', 'S'] as const).map((name) => ({
      name,
      architecture: `${family}_mini_${name === 'Ti' ? 'tiny' : 'small'}`,
      checkpoint: 'embedded',
    }));
    await mini.run(mini.experiment({ anchors, training: { epochs: 1 } }), 'run');
    const trial = await openTrial(await findTrial(path.join(mini.folder, 'run')));
    const [anchor, stitched] = [1, 2].map((length) =>
      trial.trained.map((id) => trial.network(id)).findLast(({ stitch }) => stitch.path.length === length),
    );

    await t.test('an anchor has the tensors of timm, in its shapes', () => {
      const { tensors, segments } = stateDictOf(anchor!);
      const { prefix, architecture } = segments[0]!;
      assert.equal(prefix, '');
      const expected = publishedShapes(architectureNamed(architecture, 64).tensors);
      for (const [name, shape] of Object.entries(expected)) assert.deepEqual(tensors[name]!.shape, shape, name);
      const heads = Object.keys(tensors).filter((name) => !(name in expected));
      assert.deepEqual(
        heads.sort(),
        family === 'vit' ? ['head.bias', 'head.weight'] : ['head.fc.bias', 'head.fc.weight'],
      );
    });

    await t.test('PyTorch computes the same logits', { skip: hasTorch ? false : 'no PyTorch' }, async () => {
      for (const network of [anchor!, stitched!]) {
        const file = path.join(mini.folder, 'stitch.safetensors');
        await exportStateDict(network, file, 'float32');
        const printed = execFileSync(python, ['-c', script, path.join(projectRoot, 'docs'), file], {
          encoding: 'utf8',
        });
        const found = JSON.parse(printed) as number[];
        const pixels = Float32Array.from({ length: 64 * 64 * 3 }, (_, index) => Math.sin(index));
        const bound = bind(mini.engine, `state dict ${network.result.id}`, network.weights, network.logits);
        const logits = await bound.run(mini.engine.put(float32([1, 64, 64, 3], pixels)));
        const expected = (await mini.engine.get(logits)).data;
        assert.equal(found.length, network.classes.length);
        const size = Math.max(...Array.from(expected, Math.abs));
        for (const [index, value] of found.entries()) {
          assert.ok(Math.abs(value - expected[index]!) < 1e-4 * size, `${network.result.id}: ${found} ${expected}`);
        }
      }
    });

    await t.test('float16 halves it; the metadata say what it is', async () => {
      const file = path.join(mini.folder, 'half.safetensors');
      const { segments } = await exportStateDict(stitched!, file, 'float16');
      const { metadata, tensors } = await readSafetensors(file);
      // What reads the file takes all but these for JSON.
      const reader = await readFile(path.join(projectRoot, 'docs/read_stitch.py'), 'utf8');
      const plain = /plain = \(([^)]*)\)/
        .exec(reader)![1]!
        .split(', ')
        .map((name) => name.slice(1, -1));
      for (const name of Object.keys(metadata)) if (!plain.includes(name)) JSON.parse(metadata[name]!);
      assert.deepEqual(JSON.parse(metadata['segments']!), segments);
      assert.deepEqual(JSON.parse(metadata['classes']!), stitched!.classes);
      assert.deepEqual(
        segments.map(({ prefix }) => prefix),
        ['front.', 'end.'],
      );
      assert.ok('stitch.weight' in tensors);
      await assert.rejects(exportStateDict(stitched!, file, 'int8'), { name: 'RequestError', message: /no int8/ });
    });
  });
}
