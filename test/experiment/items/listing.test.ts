/** The list of items, and what workers would make of it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { checkedPlan } from '../../../src/experiment/inputs.js';
import { forecastOf, formatForecast } from '../../../src/experiment/items/forecast.js';
import {
  formatListing,
  type ListedItem,
  type Listing,
  largestOf,
  listItems,
} from '../../../src/experiment/items/listing.js';
import { planOf } from '../../../src/experiment/plan.js';
import { listStitches } from '../../../src/experiment/space-listing.js';
import { studyOf } from '../../../src/experiment/studies/study.js';
import { describeHolder } from '../../../src/run-folder/lock.js';
import { RequestError } from '../../../src/shared/errors.js';
import { thisProcess } from '../../../src/shared/processes/process-mark.js';

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

/** What a trial records of how it was carried out, as far as steps go. */
const recipeOfSteps = (steps: number) => JSON.stringify({ stages: [{ name: 'stitched', final: { steps } }] });

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
  // It may have had more images: 64 steps in 32 s.
  writeFileSync(path.join(trial, 'recipe.json'), recipeOfSteps(64));
  const { items } = await listItems(two, folder, 1);
  // 20 images in batches of 5, four epochs: 16 steps.
  const rate = items.find(({ id }) => id === 'species-esta-seed1/stitched-grid-0.2')!;
  assert.deepEqual([rate.index, rate.state, rate.steps, rate.seconds, rate.measured], [5, 'ready', 16, 8, true]);
  assert.deepEqual(
    items.map(({ state }) => state),
    ['finished', 'finished', 'finished', 'finished', 'ready', 'ready', 'waiting', 'waiting'],
  );
});

test('the items of an ablation are those of its variants', async (t) => {
  const { experiment: base, variants } = studyOf('distillation', experiment(), 1);
  const { items } = await listItems(base, temporary(t), 1, variants);
  assert.deepEqual(
    items.filter(({ does }) => does === 'evaluation').map(({ id }) => id),
    ['species-esta-with-distillation-seed0/evaluation', 'species-esta-without-distillation-seed0/evaluation'],
  );
  // The largest anchor teaches in every step of the first.
  const [taught, alone] = ['with', 'without'].map(
    (name) => items.find(({ id }) => id === `species-esta-${name}-distillation-seed0/stitched`)!.step_macs!,
  );
  assert.ok(taught! > alone!);
});

test('processes are counted by the memory of the largest item that is left', async (t) => {
  const { run, items } = await listItems(experiment({ seeds: [0, 1] }), temporary(t), 1);
  const [first, ...others] = items.map((item) => ({ ...item, memory_bytes: 5e8, step_macs: 7 }));
  const larger = { ...first!, memory_bytes: 2e9, step_macs: 9 };
  assert.deepEqual(largestOf({ run, items: [larger, ...others] }), { processBytes: 2e9, stepMacs: 9 });
  const finished = { ...larger, state: 'finished' } as const;
  assert.deepEqual(largestOf({ run, items: [finished, ...others] }), { processBytes: 5e8, stepMacs: 7 });
  // Wider networks take more: what `--jobs auto` divides the free memory by.
  const wide = experiment({
    anchors: ['vit_small_patch16_224', 'vit_base_patch16_224'].map((a) => ({ name: a, architecture: a })),
  });
  const [wider, plain] = [largestOf(await listItems(wide, temporary(t), 1)), largestOf({ run, items })];
  assert.ok(wider.processBytes > 2 * plain.processBytes && wider.stepMacs > 100 * plain.stepMacs);
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

test('the forecast: makespan, hours and what is written, by workers', () => {
  const items = [listed('a', 3580), listed('b', 3580), { ...listed('c', 99), state: 'finished' as const }];
  const forecast = forecastOf({ run: 'x', items }, { workers: 2, checkpointMinutes: 10 });
  const [one, two] = forecast.by_workers;
  // Each is 3580 s of work and a start of 20 s. Six checkpoints of 1 MB in each.
  assert.deepEqual([one!.makespan_seconds, one!.worker_hours], [7200, 2]);
  assert.deepEqual([two!.makespan_seconds, two!.written_bytes_per_second], [3600, 12e6 / 3600]);
  assert.equal(forecast.checkpoints_bytes, 2e6);
  assert.match(formatForecast(forecast), /^ +2 +1 h 00 min +2\.0 +3\.33 KB/m);
});

test('a run folder of another configuration is not listed as if it held what is asked for', async (t) => {
  const folder = temporary(t);
  const trial = path.join(folder, 'trials', 'species-esta-seed0');
  mkdirSync(trial, { recursive: true });
  writeFileSync(path.join(trial, 'metrics.jsonl'), '{}\n');
  writeFileSync(path.join(folder, 'experiment.yaml'), JSON.stringify(experiment()));
  assert.equal((await listItems(experiment(), folder, 1)).run, folder);
  const other = experiment({ training: { epochs: 7, batch_size: 5, base_learning_rates: [0.1, 0.2] } });
  await assert.rejects(listItems(other, folder, 1), {
    ...{
      name: 'RequestError',
      message: /was written for another configuration:[\s\S]*training\.epochs: there 4, now 7/,
    },
    hint: /--out DIR/,
  });
  const plan = await planOf(other, folder);
  await assert.rejects(checkedPlan(plan, other), /another configuration/);
});

test('without its images the steps of a data set are not known: refused', async (t) => {
  const unknown = experiment({ data: { kind: 'image-folder', root: '/nowhere' } });
  const listing = await listItems(unknown, temporary(t), 1);
  assert.throws(
    () => forecastOf(listing, { workers: 2, checkpointMinutes: 5 }),
    (error) => error instanceof RequestError && error.message.includes('are not known: its images are not there'),
  );
});

test('the forecast of training and evaluation, counted by hand', () => {
  const training = { ...listed('t', 600), does: 'training' as const, steps: 10 };
  const { seconds: _, checkpoint_bytes: __, ...rest } = listed('e', 0, 't');
  const evaluation: ListedItem = { ...rest, does: 'evaluation', measured: false };
  const of = (...items: ListedItem[]) => forecastOf({ run: 'x', items }, { workers: 1, checkpointMinutes: 5 });
  const { measured, checkpoints_bytes, by_workers } = of(training, evaluation);
  // 600 s of training and 5 % of it for the evaluation, 20 s to start each: one worker is busy all the time.
  const makespan = 600 + 30 + 2 * 20;
  assert.deepEqual([measured, checkpoints_bytes], [true, 1e6]);
  assert.equal(by_workers.length, 1);
  const { file_operations_per_second: calls, ...row } = by_workers[0]!;
  assert.deepEqual(row, {
    ...{ workers: 1, makespan_seconds: makespan, worker_hours: makespan / 3600 },
    written_bytes_per_second: 2e6 / makespan, // a checkpoint every five minutes
  });
  // Three calls every 15 seconds for the lock, ten for each of the two checkpoints.
  assert.ok(Math.abs(calls - (3 / 15 + 20 / makespan)) < 1e-12, `${calls}`);
  assert.equal(of({ ...training, measured: false }, evaluation).measured, false);
  const done = of({ ...training, state: 'finished' }, evaluation);
  assert.equal(done.by_workers[0]!.makespan_seconds, 50, 'what is left of the evaluation is as long as before');
  assert.deepEqual(of({ ...training, state: 'finished' }).by_workers[0], {
    ...{ workers: 1, makespan_seconds: 0, worker_hours: 0 },
    ...{ written_bytes_per_second: 0, file_operations_per_second: 0 },
  });
});

test('the forecast for people says where its seconds are guessed', () => {
  const items = [listed('a', 100)];
  const of = (measured: boolean) =>
    formatForecast(forecastOf({ run: 'x', items: [{ ...items[0]!, measured }] }, { workers: 1, checkpointMinutes: 5 }));
  assert.match(of(true), /^What is left, by the number of workers\n/);
  assert.match(of(true), /Workers +Takes +Worker hours +Written a second +File operations a second/);
  assert.match(of(true), / 1 +2 min 00 s +0\.0 +8\.33 KB +0\.3\n/);
  assert.match(of(true), /Checkpoints of all items together: 1 MB/);
  assert.doesNotMatch(of(true), /Guessed/);
  assert.match(of(false), /Guessed from multiply-accumulates/);
});

const words = (text: string, first: string) =>
  text
    .split('\n')
    .filter((line) => line.trim().startsWith(`${first} `))
    .map((line) => line.trim().split(/ {2,}/));

test('the list for people: what is done, who runs the rest, and what it waits for', () => {
  const items: ListedItem[] = [
    { ...listed('t/a', 60), state: 'finished' },
    { ...listed('t/b', 90), index: 1, state: 'running', holder: 'process 5' },
    { ...listed('t/c', 0, 't/a', 't/b'), index: 2, state: 'waiting', memory_bytes: 5e8 },
    { ...listed('t/d', 0, 't/c'), index: 3, state: 'failed', error: 'disk full' },
  ];
  const { steps: _, seconds: __, memory_bytes: ___, ...unknown } = items[3]!;
  const text = formatListing({ run: 'x', items: [...items.slice(0, 3), unknown] });
  assert.match(text, /^Items: 1 of 4 finished\n/);
  assert.deepEqual(words(text, '#'), [['#', 'Item', 'State', 'Waits for', 'Steps', 'Time', 'Memory']]);
  assert.deepEqual(
    [0, 1, 2, 3].flatMap((index) => words(text, String(index))),
    [
      ['0', 't/a', 'finished', '–', '1', '1 min 00 s', '0.001 KB'],
      ['1', 't/b', 'running: process 5', '–', '1', '1 min 30 s', '0.001 KB'],
      ['2', 't/c', 'waiting', 'b', '1', '0 s', '500 MB'],
      ['3', 't/d', 'disk full', '–', '–', '–', '–'],
    ],
  );
  assert.doesNotMatch(text, /guessed/, 'all that is known was measured');
  const { seconds: ____, ...evaluation } = { ...items[3]!, measured: false };
  assert.doesNotMatch(formatListing({ run: 'x', items: [items[0]!, evaluation] }), /guessed/);
  assert.match(formatListing({ run: 'x', items: [items[0]!, { ...items[1]!, measured: false }] }), /guessed/);
});

test('an item as a program reads it: holder and error where there are some, no sizes of an evaluation', async (t) => {
  const folder = temporary(t);
  const trial = path.join(folder, 'trials', 'species-esta-seed0');
  mkdirSync(path.join(trial, 'stitched-grid-0.1'), { recursive: true });
  const holder = { ...thisProcess(), since: '2026-01-01T00:00:00Z', token: 'x' };
  writeFileSync(path.join(trial, 'stitched-grid-0.1', 'lock.1'), JSON.stringify(holder));
  const identity = { version: 1, dataset: 'species', method: 'esta', seed: 0, learningRate: 0 };
  const result = { ...identity, stitches: [], trainSeconds: 0, epochs: 0, status: 'failed', error: 'disk full' };
  writeFileSync(path.join(trial, 'result.json'), JSON.stringify(result));
  const { run, items } = await listItems(experiment(), folder, 1);
  assert.equal(run, folder);
  const [held, free, , evaluation] = items;
  const { seconds, step_macs, memory_bytes, checkpoint_bytes, ...shown } = held!;
  const ids = ['stitched-grid-0.1', 'stitched'].map((name) => `species-esta-seed0/${name}`);
  assert.deepEqual(shown, {
    ...{ index: 0, id: ids[0], does: 'rate', state: 'running', waits_for: [], steps: 16 },
    ...{ holder: describeHolder(holder), measured: false },
  });
  assert.ok([seconds, step_macs, memory_bytes, checkpoint_bytes].every((size) => size! > 0));
  assert.ok(!('holder' in free! || 'error' in free!));
  assert.deepEqual(evaluation, {
    ...{ index: 3, id: 'species-esta-seed0/evaluation', does: 'evaluation', state: 'failed', waits_for: [ids[1]] },
    ...{ steps: 0, error: 'disk full', measured: false },
  });
});

test('seconds of a step are guessed from the FLOPs of what it trains', async (t) => {
  const guess = async (more: object, id: string, cores = 1) => {
    const { items } = await listItems(experiment(more), temporary(t), cores);
    const { seconds, steps, memory_bytes } = items.find((item) => item.id.endsWith(id))!;
    return { perStep: seconds! / steps!, memory: memory_bytes! };
  };
  const flops = listStitches(experiment(), 2).map((stitch) => stitch.flops);
  const mean = flops.reduce((sum, each) => sum + each, 0) / flops.length;
  const near = (found: number, expected: number) =>
    assert.ok(Math.abs(found / expected - 1) < 1e-3, `${found} ${expected}`);
  // Batches of 5; a step is a forward pass and a backward pass of two, 14 G multiply-accumulates a second and core.
  const alone = (await guess({ distillation: { enabled: false } }, '/stitched')).perStep;
  near(alone, (5 * 3 * mean) / 14e9);
  const distilled = await guess({}, '/stitched');
  near(distilled.perStep - alone, (5 * 3 * flops[1]!) / 14e9); // the largest anchor learns, too
  near((await guess({}, '/stitched', 2)).perStep, distilled.perStep / 2);
  const several = { distillation: { enabled: false }, sampling: { stitches_per_step: 3 } };
  near((await guess(several, '/stitched')).perStep, 3 * alone);
  const anchors = { methods: ['anchor-lora'], sampling: { stitches_per_step: 3 } };
  const [tiny, small] = listStitches(experiment({ adaptation: { ranks: [2, 2], stitch_bias: false } }), 2);
  near((await guess(anchors, '/anchor-Ti')).perStep, (5 * 3 * tiny!.flops) / 14e9);
  near((await guess(anchors, '/anchor-S')).perStep, (5 * 3 * small!.flops) / 14e9);
  // 16 widths of each token, of four bytes: FLOPs are 12 x width x width a token. Ten images in place of five.
  const training = { epochs: 4, batch_size: 10, base_learning_rates: [0.1, 0.2] };
  const more = (await guess({ training }, '/stitched')).memory - distilled.memory;
  near(more, (5 * 4 * 16 * Math.max(...flops)) / (12 * 64));
});

test('language models of 8 bits take a byte a weight, and keep what a micro batch needs', async (t) => {
  const text = (weights: string, micro_batch_size: number) =>
    experimentSchema.parse({
      name: 'listed',
      anchors: ['small', 'base'].map((name) => ({ name, architecture: `llama_mini_${name}` })),
      data: { kind: 'word-tasks', train_texts: 8, validation_texts: 4 },
      adaptation: { ranks: [2, 2], stitching_layer_rank: 2 },
      training: { epochs: 1, batch_size: 4, base_learning_rates: [0.1] },
      text: { cutoff: 64, micro_batch_size, weights },
    });
  const memory = async (weights: string, size: number) =>
    (await listItems(text(weights, size), temporary(t), 1)).items[0]!.memory_bytes!;
  // Four projections of width x width and three of width x mlp width in each of 4 and 6 blocks, and the embeddings.
  const blocks = 4 * (4 * 64 * 64 + 3 * 64 * 128) + 6 * (4 * 96 * 96 + 3 * 96 * 192);
  const saved = ((await memory('float32', 2)) - (await memory('8bit', 2))) / 3;
  assert.ok(Math.abs(saved / (blocks + 1024 * (64 + 96)) - 1) < 0.01, `${saved}`); // norms are beside them
  assert.ok((await memory('float32', 4)) > (await memory('float32', 2)));
});

test('only finished trials of the same method measure steps', async (t) => {
  const folder = temporary(t);
  const all = experiment({ seeds: [0, 1, 2, 3], methods: ['esta', 'naive-lora'] });
  const group = { anchors: 0, lowRank: 0, stitchingLayers: 0, stitchBias: 0, heads: 0, total: 0 };
  const write = (seed: number, method: string, trainSeconds: number, more: object) => {
    const trial = path.join(folder, 'trials', `species-${method}-seed${seed}`);
    mkdirSync(trial, { recursive: true });
    const stage = { name: 'stitched', learningRate: 0.1, epochs: 4, trainSeconds, trainable: group };
    const result = { version: 1, dataset: 'species', method, seed, learningRate: 0.1, epochs: 4, ...more };
    writeFileSync(
      path.join(trial, 'result.json'),
      JSON.stringify({ stitches: [], trainSeconds, ...result, stages: [stage] }),
    );
    writeFileSync(path.join(trial, 'recipe.json'), recipeOfSteps(16));
  };
  write(0, 'esta', 999, { status: 'failed', error: 'disk full' });
  write(1, 'esta', 32, { status: 'finished' });
  write(2, 'esta', 64, { status: 'finished' });
  const { items } = await listItems(all, folder, 1);
  const of = (id: string) => items.find((item) => item.id === `species-${id}/stitched`)!;
  assert.deepEqual([of('esta-seed3').seconds, of('esta-seed3').measured], [32, true], 'the first counts');
  assert.equal(of('naive-lora-seed0').measured, false);
});
