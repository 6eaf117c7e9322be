/** What crosses the bus in a step on a card. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estaStepSetting } from '../../src/bench/esta-step-benchmark.js';
import { createNvidiaEngine } from '../../src/engine/nvidia/engine.js';
import { variantNamed } from '../../src/models/vit/variants.js';
import { blankCard } from '../engine/nvidia/blank-card.js';

test('images go in as bytes, and four numbers come out', async () => {
  const [sent, read]: [number[], number[]] = [[], []];
  const blank = blankCard();
  const card: typeof blank = {
    ...blank,
    upload: (_, { byteLength }) => void sent.push(byteLength),
    download: async (from, to) => {
      read.push(to.byteLength);
      await blank.download(from, to);
    },
  };
  const engine = await createNvidiaEngine({ card });
  const batchSize = 8;
  const variants = ['vit_mini_tiny', 'vit_mini_small'].map(variantNamed);
  const { step } = estaStepSetting(engine, variants, { batchSize, rank: 2 });
  await step(1);
  for (const list of [sent, read]) list.length = 0;
  await step(1);
  await engine.dispose();
  assert.deepEqual(read, [4 * 4]);
  const pixels = batchSize * variants[0]!.imageSize ** 2 * 3;
  const [images, labels, rate] = [pixels, 4 * batchSize, 4];
  // Each of the three programs gets a table, too: where its inputs and results lie.
  assert.deepEqual(
    sent.filter((bytes) => bytes % 24 !== 0 || bytes === images).sort((a, b) => b - a),
    [images, labels, rate],
  );
  assert.equal(sent.length, 3 + 3);
});
