/** Thousands of items on a shared file system are listed, looked at and forecast in seconds. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { forecastOf } from '../../../src/experiment/items/forecast.js';
import { itemsOf } from '../../../src/experiment/items/item.js';
import { listItems } from '../../../src/experiment/items/listing.js';
import { statesOf } from '../../../src/experiment/items/states.js';
import type { Recipe } from '../../../src/experiment/recipe.js';
import { claimFolder, type Lock } from '../../../src/run-folder/lock.js';

const run = { split: 'train', epochs: 1, steps: 3, warmupSteps: 0 };
const stages = [
  { name: 'stitched', learningRates: [0.1, 0.2].map((base) => ({ base, peak: base })), grid: run, final: run },
] as unknown as Recipe['stages'];
const items = (name: string) => itemsOf({ name }, { stages });

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-scale-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const experiment = (seeds: readonly number[]) =>
  experimentSchema.parse({
    name: 'listed',
    anchors: [
      { name: 'Ti', architecture: 'vit_mini_tiny' },
      { name: 'S', architecture: 'vit_mini_small' },
    ],
    data: { kind: 'species', classes: 2, train_images: 10 },
    adaptation: { ranks: [2, 2], stitching_layer_rank: 2 },
    training: { epochs: 4, batch_size: 5, base_learning_rates: [0.1, 0.2] },
    seeds,
  });

test('the states of ten thousand items, and a claim among them', async (t) => {
  const folder = temporary(t);
  const identity = { version: 1, dataset: 'd', method: 'esta', seed: 0, learningRate: 0 };
  const line = (rate: number) => ({ stage: 'stitched', base_rate: rate, accuracy: 50 });
  const names = Array.from({ length: 2500 }, (_, index) => `trial-${index}`);
  for (const name of names) {
    const trial = path.join(folder, 'trials', name);
    mkdirSync(path.join(trial, 'stitched-grid-0.2'), { recursive: true });
    writeFileSync(path.join(trial, 'status.json'), JSON.stringify({ ...identity, state: 'running' }));
    writeFileSync(path.join(trial, 'grid.jsonl'), `${JSON.stringify(line(0.1))}\n`);
    writeFileSync(path.join(trial, 'stitched-grid-0.2', 'grid.jsonl'), `${JSON.stringify(line(0.2))}\n`);
  }
  const all = names.flatMap(items);
  assert.equal(all.length, 10_000);
  const before = process.cpuUsage();
  const states = await statesOf(folder, all);
  await ((await claimFolder(path.join(folder, 'trials', 'trial-7'))) as Lock).release();
  const { user } = process.cpuUsage(before);
  assert.equal(states.get('trial-2499/stitched')!.state, 'ready');
  t.diagnostic(`${(user / 1e6).toFixed(2)} s of computing`);
});

test('ten thousand items of an experiment are listed and forecast', async (t) => {
  const seeds = Array.from({ length: 2500 }, (_, seed) => seed);
  const before = process.cpuUsage();
  const listing = await listItems(experiment(seeds), temporary(t), 1);
  assert.equal(listing.items.length, 10_000);
  const { by_workers } = forecastOf(listing, { workers: 1000, checkpointMinutes: 5 });
  const seconds = process.cpuUsage(before).user / 1e6;
  t.diagnostic(`${seconds.toFixed(2)} s of computing`);
  assert.equal(by_workers.length, 10);
  assert.equal(by_workers.at(-1)!.workers, 1000);
});
