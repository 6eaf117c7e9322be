/** Every program of whole runs has kernels for an NVIDIA card: on one that computes nothing, runs end with whatever numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNvidiaEngine } from '../../src/engine/nvidia/engine.js';
import { blankCard } from '../engine/nvidia/blank-card.js';
import { miniature } from './miniature.js';
import { textMiniature } from './text/text-miniature.js';

test('vision transformers run on a card: low-rank updates, all weights, several stitches to a pass', async (t) => {
  const mini = await miniature(t);
  const sent = new Set<number>();
  const card = { ...blankCard(), upload: (_: number, { byteLength }: ArrayBufferView) => void sent.add(byteLength) };
  const engine = await createNvidiaEngine({ card });
  t.after(() => engine.dispose());
  const experiment = mini.experiment({
    methods: ['esta', 'sn-net', 'ss-lora'],
    training: { epochs: 1 },
    stitching: { fit_images: 3 },
    sampling: { bins: 2, warmup_epochs: 0, stitches_per_step: 2, sandwich: true },
  });
  for (const { method, status } of await mini.run(experiment, 'run', { engine }))
    assert.equal(status, 'finished', method);
  // Images go in as bytes, those of training (batches of 4) as those of the test (of 12).
  const pixels = 64 * 64 * 3;
  assert.deepEqual([sent.has(4 * pixels), sent.has(12 * pixels)], [true, true]);
  assert.deepEqual([sent.has(4 * 4 * pixels), sent.has(4 * 12 * pixels)], [false, false]);
});

test('ConvNeXts run on a card', async (t) => {
  const mini = await miniature(t);
  const engine = await createNvidiaEngine({ card: blankCard(), precision: 'mixed' });
  t.after(() => engine.dispose());
  const experiment = mini.experiment({
    anchors: ['tiny', 'small'].map((name) => ({ name, architecture: `convnext_mini_${name}` })),
    preprocessing: { crop: 32 },
    methods: ['sn-net'],
    training: { epochs: 1 },
  });
  for (const { method, status } of await mini.run(experiment, 'run', { engine }))
    assert.equal(status, 'finished', method);
});

test('language models run on a card: float32 with dropout, and anchors of 8 bits', async (t) => {
  const mini = await textMiniature(t);
  const engine = await createNvidiaEngine({ card: blankCard(), precision: 'mixed' });
  t.after(() => engine.dispose());
  const data = { kind: 'word-tasks', train_texts: 4, validation_texts: 2 };
  for (const text of [{ dropout: 0.1 }, { weights: '8bit' }]) {
    const experiment = mini.experiment({ text, data, training: { epochs: 1 }, sampling: { warmup_epochs: 0 } });
    for (const { method, status } of await mini.run(experiment, Object.keys(text)[0]!, { engine }))
      assert.equal(status, 'finished', method);
  }
});
