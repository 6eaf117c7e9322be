/** The views beside the curve: patterns, training, trainable parameters, angles; their tables and that they are drawn. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { renderCsv } from '../../../src/report/render/render-csv.js';
import { buildReport } from '../../../src/report/report.js';
import { type ReportContent, readReportContent } from '../../../src/report/report-content.js';
import type { StitchResult, TrialResult } from '../../../src/run-folder/result.js';
import { type FakeTrial, temporaryFolder, writeRunFolder } from '../../run-folder/run-folder-fixture.js';
import { noPaper } from '../no-paper.js';

/** A trial that deployed stitches of [blocks of S, blocks of B, accuracy, bin] and trained so many parameters. */
function trial(
  stitches: readonly (readonly [small: number, base: number, accuracy: number, bin?: number])[],
  trainable: number,
  options: FakeTrial = {},
): FakeTrial {
  const results = stitches.map(([small, base, accuracy, bin]): StitchResult => {
    const segments = [
      { anchor: 'S', blocks: [0, small] as const },
      { anchor: 'B', blocks: [12 - base, 12] as const },
    ];
    const cost = { flops: small * 3e8 + base * 14e8, params: 1, trainable: 1 };
    const used = segments.filter(({ blocks: [from, to] }) => to > from);
    return { id: 10 * small + base, path: used, ...cost, accuracy, ...(bin === undefined ? {} : { bin }) };
  });
  const groups = { anchors: 0, lowRank: trainable, stitchingLayers: 0, stitchBias: 0, heads: 0, total: trainable };
  const stage = { name: 'stitched', learningRate: 1e-3, epochs: 4, trainSeconds: 1, trainable: groups };
  return { ...options, change: (result: TrialResult) => ({ ...result, stitches: results, stages: [stage] }) };
}

const cheap = [
  [11, 1, 60, 0],
  [4, 8, 70, 1],
  [0, 12, 80],
] as const;
const dear = [
  [10, 3, 62, 0],
  [4, 8, 74, 1],
  [0, 12, 80],
] as const;

async function contentOf(run: string): Promise<ReportContent> {
  return readReportContent([run], noPaper);
}

const rowsOf = ({ tables }: ReportContent, name: string) =>
  renderCsv(tables.find((table) => table.name === name)!).split('\r\n');

async function journal(run: string, folder: string, losses: readonly number[], tests: readonly [number, number][]) {
  const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const metrics = losses.map((labelLoss, index) => ({ epoch: index + 1, loss: 99, label_loss: labelLoss }));
  const inGrid = { stage: 'stitched-grid-0.1', epoch: 1, loss: 77, label_loss: 77 };
  const files = {
    'metrics.jsonl': lines([inGrid, ...metrics.map((line) => ({ stage: 'stitched', ...line }))]),
    'tests.jsonl': lines(tests.map(([epoch, accuracy]) => ({ stage: 'stitched', epoch, accuracy, stitches: [] }))),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(run, 'trials', folder, name), text);
}

test('patterns: blocks of each anchor by deployed stitch', async () => {
  const one = await contentOf(await writeRunFolder([trial(cheap, 5)]));
  assert.deepEqual(rowsOf(one, 'deployed'), [
    'Data set,Blocks of,1,2,3',
    'Stanford Cars,S,11,4,0',
    'Stanford Cars,B,1,8,12',
  ]);
  // Seeds that deploy different stitches for the first FLOPs bin: 1 and 3 blocks of B.
  const two = await contentOf(await writeRunFolder([trial(cheap, 5), trial(dear, 5, { seed: 1 })]));
  const [, base] = two.tables.find(({ name }) => name === 'deployed')!.rows;
  assert.deepEqual(base!.cells['1'], { mean: 2, deviation: Math.SQRT2, count: 2 });
});

test('patterns: only of what is deployed for FLOPs bins', async () => {
  const anchors = await contentOf(await writeRunFolder([{ method: 'anchor-lora', stitches: 'anchors' }]));
  assert.ok(!anchors.tables.some(({ name }) => name === 'deployed'));
  assert.deepEqual(
    anchors.figures.map(({ name }) => name),
    ['figure'],
  );
});

test('training: loss with the labels and test accuracy at the tested epochs, the result at the last; means over tasks', async () => {
  const methods = ['esta', 'adapt-then-stitch'];
  const datasets = ['cars', 'dogs'];
  const run = await writeRunFolder(
    datasets.flatMap((dataset) => methods.map((method) => trial(cheap, 5, { dataset, method }))),
  );
  for (const [index, dataset] of datasets.entries()) {
    await journal(run, `${dataset}-esta-seed0`, [4 + index, 3, 2, 1], [[2, 50 + 10 * index]]);
    await journal(run, `${dataset}-adapt-then-stitch-seed0`, [3, 2, 1, 0.5], [[2, 66]]);
  }
  const content = await contentOf(run);
  assert.deepEqual(rowsOf(content, 'training'), [
    'Data set,Method,,epoch 2,epoch 4',
    'cars,Adapt-then-stitch,Training loss,2.00,0.50',
    'cars,Adapt-then-stitch,Test accuracy (%),66.00,70.00',
    'cars,ESTA,Training loss,3.00,1.00',
    'cars,ESTA,Test accuracy (%),50.00,70.00',
    'dogs,Adapt-then-stitch,Training loss,2.00,0.50',
    'dogs,Adapt-then-stitch,Test accuracy (%),66.00,70.00',
    'dogs,ESTA,Training loss,3.00,1.00',
    'dogs,ESTA,Test accuracy (%),60.00,70.00',
    'mean of 2 data sets,Adapt-then-stitch,Training loss,2.00,0.50',
    'mean of 2 data sets,Adapt-then-stitch,Test accuracy (%),66.00,70.00',
    'mean of 2 data sets,ESTA,Training loss,3.00,1.00',
    'mean of 2 data sets,ESTA,Test accuracy (%),55.00,70.00',
  ]);
  assert.ok(content.figures.some(({ name }) => name === 'figure-training'));
});

test('a journal that cannot be read is named, and the rest is still reported', async () => {
  const run = await writeRunFolder([trial(cheap, 5)]);
  await writeFile(path.join(run, 'trials', 'stanford-cars-esta-seed0', 'tests.jsonl'), 'not JSON\n{}\n');
  const { problems, tables } = await contentOf(run);
  assert.match(problems.join('\n'), /journal of .*stanford-cars-esta-seed0 cannot be read: /);
  assert.ok(tables.some(({ name }) => name === 'table-one'));
});

test('trainable parameters: only where methods differ in them; named in the legend of the curve', async () => {
  const run = await writeRunFolder([
    trial(cheap, 1_460_000, { seed: 0 }),
    trial(dear, 1_460_000, { seed: 1 }),
    trial(cheap, 250_000, { method: 'naive-lora' }),
  ]);
  const content = await contentOf(run);
  assert.deepEqual(rowsOf(content, 'trainable-accuracy'), [
    'Data set,Method,Trainable (M),Mean accuracy (%),Mean accuracy (%) std',
    'Stanford Cars,ESTA,1.460,71.00,1.41',
    'Stanford Cars,LoRA,0.250,70.00,n/a',
  ]);
  assert.deepEqual(content.figure!.series, ['ESTA (1.46 M)', 'LoRA (0.25 M)']);
  const alike = await contentOf(await writeRunFolder([trial(cheap, 7), trial(cheap, 7, { method: 'naive-lora' })]));
  assert.ok(!alike.tables.some(({ name }) => name === 'trainable-accuracy'));
  assert.deepEqual(alike.figure!.series, ['ESTA', 'LoRA']);
});

test('shots of one task: a panel for each, no mean over them', async () => {
  const run = await writeRunFolder(
    [1, 16].flatMap((shots) =>
      ['esta', 'sn-net'].map((method) => trial(cheap, 5, { dataset: `stanford-cars-${shots}-shot`, method })),
    ),
  );
  const { figure, tables } = await contentOf(run);
  assert.deepEqual(figure!.panels, ['Stanford Cars, 1 shot', 'Stanford Cars, 16 shots']);
  assert.ok(!JSON.stringify(tables).includes('mean of'));
});

const measured = { version: 1, anchors: ['Ti', 'S'], stitches: 3, epoch: 1, batches: 1, batch_size: 4 };

async function writeAngles(run: string, trial: string, domain: string, angles: readonly number[]) {
  await writeFile(path.join(run, 'trials', trial, 'angles.json'), JSON.stringify({ ...measured, domain, angles }));
}

test('angles: mean, deviation and the share that opposes; seeds together, methods apart, the source domain first', async () => {
  const run = await writeRunFolder([
    trial(cheap, 5),
    trial(cheap, 5, { seed: 1 }),
    trial(cheap, 5, { dataset: 'imagenet' }),
    trial(cheap, 5, { method: 'sn-net' }),
  ]);
  await writeAngles(run, 'stanford-cars-esta-seed0', 'downstream', [80, 100]);
  await writeAngles(run, 'stanford-cars-esta-seed1', 'downstream', [180]);
  await writeAngles(run, 'imagenet-esta-seed0', 'source', [40, 50, 60]);
  await writeAngles(run, 'stanford-cars-sn-net-seed0', 'downstream', [91]);
  const content = await contentOf(run);
  assert.deepEqual(rowsOf(content, 'angles').slice(1), [
    'imagenet,source,3,50.0,10.0,0.0',
    'Stanford Cars,downstream,3,120.0,52.9,66.7',
  ]);
  assert.deepEqual(rowsOf(content, 'angles-2').slice(1), ['Stanford Cars,downstream,1,91.0,n/a,100.0']);
  await writeFile(path.join(run, 'trials', 'imagenet-esta-seed0', 'angles.json'), '{"version": 1}');
  assert.match((await contentOf(run)).problems.join('\n'), /angles\.json is not valid:\n {2}anchors: /);
});

test('every figure is written as SVG and PNG, linked, and inside the page', async () => {
  const run = await writeRunFolder([trial(cheap, 5), trial(cheap, 500, { method: 'naive-lora' })]);
  await journal(run, 'stanford-cars-esta-seed0', [3, 2, 1, 0.5], [[2, 66]]);
  await writeAngles(run, 'stanford-cars-esta-seed0', 'downstream', [80, 100, 180]);
  const names = ['figure', 'figure-training', 'figure-trainable', 'figure-deployed', 'figure-angles'];
  const out = path.join(await temporaryFolder(), 'out');
  await buildReport([run], 'md', { out });
  const written = await readdir(out);
  const markdown = await readFile(path.join(out, 'report.md'), 'utf8');
  for (const name of names) {
    assert.ok(written.includes(`${name}.svg`) && written.includes(`${name}.png`), name);
    assert.ok(markdown.includes(`](${name}.svg)`), name);
    assert.match(await readFile(path.join(out, `${name}.svg`), 'utf8'), /^<svg/);
  }
  const { text } = await buildReport([run], 'html');
  assert.equal(text.match(/<svg/g)!.length, names.length);
  assert.equal(text.match(/<figure class="plate"/g)!.length, names.length - 1);
});
