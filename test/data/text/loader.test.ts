/** What a step of texts holds, by its position alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TextLoaderOptions, type TextsOfStep, textLoader } from '../../../src/data/text/loader.js';

/** Texts of 1 to 7 tokens: text n has n + 1 of them. */
const texts = Array.from({ length: 7 }, (_, text) => {
  const ids = Array.from({ length: text + 1 }, () => text);
  return { ids, labels: ids };
});

async function stepsOf(options: Partial<TextLoaderOptions>, range = {}): Promise<TextsOfStep[]> {
  const steps: TextsOfStep[] = [];
  for await (const step of textLoader({ texts, batchSize: 4, ...options }).batches(range)) steps.push(step);
  return steps;
}

test('evaluation keeps order and rest; micro batches are padded by themselves', async () => {
  const steps = await stepsOf({ microBatchSize: 2, multiple: 2 });
  assert.deepEqual(
    steps.map(({ indices }) => indices),
    [
      [0, 1, 2, 3],
      [4, 5, 6],
    ],
  );
  assert.deepEqual(
    steps.flatMap(({ parts }) => parts.map(({ ids }) => ids.shape)),
    [
      [2, 2],
      [2, 4],
      [2, 6],
      [1, 8],
    ],
  );
  assert.deepEqual([...steps[0]!.parts[0]!.ids.data], [-1, 0, 1, 1]);
});

test('training drops the rest, shuffles every epoch anew by the seed, and goes on anywhere', async () => {
  const options = { order: 'shuffled', lastBatch: 'drop', batchSize: 3, seed: 5 } as const;
  assert.equal(textLoader({ texts, ...options }).batchesPerEpoch, 2);
  const all = await stepsOf(options, { epochs: 3 });
  assert.deepEqual(
    all.map(({ epoch, index }) => [epoch, index]),
    [0, 1, 2].flatMap((epoch) => [
      [epoch, 0],
      [epoch, 1],
    ]),
  );
  const [first, second] = [0, 1].map((epoch) => all.filter((step) => step.epoch === epoch).flatMap((s) => s.indices));
  assert.equal(new Set(first).size, 6);
  assert.notDeepEqual(first, second);
  assert.deepEqual(await stepsOf(options, { epoch: 1, index: 1, epochs: 2 }), all.slice(3));
  assert.notDeepEqual((await stepsOf({ ...options, seed: 6 }))[0]!.indices, all[0]!.indices);
});

test('by length: the longest text first, neighbours alike', async () => {
  const steps = await stepsOf({ order: 'by length', batchSize: 3, lastBatch: 'drop' });
  assert.equal(steps[0]!.indices[0], 6);
});
