/** The list of items, and what workers would make of it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { forecastOf, formatForecast } from '../../../src/experiment/items/forecast.js';
import { formatListing, type Listing, largestMemory, listItems } from '../../../src/experiment/items/listing.js';
import { RequestError } from '../../../src/shared/errors.js';

const experiment = (more: object = {}) =>
  experimentSchema.parse({
    name: 'listed',
    anchors: [
      { name: 'Ti', architecture: 'vit_mini_tiny' },
      { name: 'S', architecture: 'vit_mini_small' },
    ],
    data: { kind: 'species', classes: 2, train_images: 10 },
    adaptation: { ranks: [2, 2], stitching_layer_rank: 2 },
    training: { epochs: 4, batch_size: 5, base_learning_rates: [0.1, 0.2] },
    ...more,
  });

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-listing-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('steps that a finished trial of the method has measured give the time of the others', async (t) => {
  const folder = temporary(t);
  const two = experiment({ seeds: [0, 1] });
  const guessed = await listItems(two, folder, 1);
  assert.ok(guessed.items.every(({ measured }) => !measured));
  assert.match(formatListing(guessed), /^Items: 0 of 8 finished\n[\s\S]*guessed from multiply-accumulates/);
  const trial = path.join(folder, 'trials', 'species-esta-seed0');
  mkdirSync(trial, { recursive: true });
  const group = { anchors: 0, lowRank: 0, stitchingLayers: 0, stitchBias: 0, heads: 0, total: 0 };
  const stage = { name: 'stitched', learningRate: 0.1, epochs: 4, trainSeconds: 32, trainable: group };
  const result = { version: 1, dataset: 'species', method: 'esta', seed: 0, learningRate: 0.1, status: 'finished' };
  const more = { stitches: [], trainSeconds: 32, epochs: 4, stages: [stage] };
  writeFileSync(path.join(trial, 'result.json'), JSON.stringify({ ...result, ...more }));
  const { items } = await listItems(two, folder, 1);
  // 20 images in batches of 5, four epochs: 16 steps in 32 s.
  const rate = items.find(({ id }) => id === 'species-esta-seed1/stitched-grid-0.2')!;
  assert.deepEqual([rate.index, rate.state, rate.steps, rate.seconds, rate.measured], [5, 'ready', 16, 32, true]);
  assert.deepEqual(
    items.map(({ state }) => state),
    ['finished', 'finished', 'finished', 'finished', 'ready', 'ready', 'waiting', 'waiting'],
  );
});

test('processes are counted by the memory of the largest item that is left', async (t) => {
  const { run, items } = await listItems(experiment({ seeds: [0, 1] }), temporary(t), 1);
  const [first, ...others] = items.map((item) => ({ ...item, memory_bytes: 5e8 }));
  assert.equal(largestMemory({ run, items: [{ ...first!, memory_bytes: 2e9 }, ...others] }), 2e9);
  assert.equal(largestMemory({ run, items: [{ ...first!, memory_bytes: 2e9, state: 'finished' }, ...others] }), 5e8);
  // Wider networks take more: what `--jobs auto` divides the free memory by.
  const wide = experiment({
    anchors: ['vit_small_patch16_224', 'vit_base_patch16_224'].map((a) => ({ name: a, architecture: a })),
  });
  assert.ok(largestMemory(await listItems(wide, temporary(t), 1)) > 2 * largestMemory({ run, items }));
});

test('a checkpoint holds what is trained and two moments of it', async (t) => {
  const { items } = await listItems(experiment(), temporary(t), 1);
  // As run.recipe.test.ts counts them: low-rank updates, stitching layers, heads; biases of 34 stitches and two anchors.
  const shared = 12 * 3 * 2 * 2 * (32 + 64) + 11 * 2 * (32 + 64) + 2 * (32 + 1) + 2 * (64 + 1);
  const bytes = items[0]!.checkpoint_bytes! / 12;
  assert.ok(Number.isInteger(bytes) && bytes > shared, `${bytes}`);
  assert.ok(
    items[0]!.memory_bytes! > 430e6 && items[0]!.memory_bytes! < 500e6,
    'the mini anchors were measured at 450 MB',
  );
});

const listed = (id: string, seconds: number, ...waits_for: string[]): Listing['items'][number] => ({
  ...{ index: 0, id, does: 'rate', state: 'ready', waits_for, seconds, measured: true },
  ...{ steps: 1, memory_bytes: 1, checkpoint_bytes: 1e6 },
});

test('the forecast: makespan, hours, requeues and what is written, by workers', () => {
  const items = [listed('a', 3580), listed('b', 3580), { ...listed('c', 99), state: 'finished' as const }];
  const forecast = forecastOf({ run: 'x', items }, { workers: 2, checkpointMinutes: 10, limitMinutes: 40 });
  const [one, two] = forecast.by_workers;
  // Each is 3580 s of work in jobs of 2400 - 20 s: two starts, 3620 s. Six checkpoints of 1 MB in each.
  assert.deepEqual([one!.makespan_seconds, one!.requeues, one!.worker_hours], [7240, 2, 7240 / 3600]);
  assert.deepEqual([two!.makespan_seconds, two!.written_bytes_per_second], [3620, 12e6 / 3620]);
  assert.equal(forecast.checkpoints_bytes, 2e6);
  assert.match(formatForecast(forecast), /^ +2 +1 h 00 min +2\.0 +2 +3\.31 KB/m);
});

test('without its images the steps of a data set are not known: refused', async (t) => {
  const unknown = experiment({ data: { kind: 'image-folder', root: '/nowhere' } });
  const listing = await listItems(unknown, temporary(t), 1);
  assert.throws(
    () => forecastOf(listing, { workers: 2, checkpointMinutes: 5 }),
    (error) => error instanceof RequestError && error.message.includes('are not known before its images are there'),
  );
});

test('ten thousand items of an experiment are listed and forecast', async (t) => {
  const seeds = Array.from({ length: 2500 }, (_, seed) => seed);
  const before = process.cpuUsage();
  const listing = await listItems(experiment({ seeds }), temporary(t), 1);
  assert.equal(listing.items.length, 10_000);
  const { by_workers } = forecastOf(listing, { workers: 1000, checkpointMinutes: 5 });
  const seconds = process.cpuUsage(before).user / 1e6;
  t.diagnostic(`${seconds.toFixed(2)} s of computing`);
  assert.equal(by_workers.length, 10);
  assert.equal(by_workers.at(-1)!.workers, 1000);
});
