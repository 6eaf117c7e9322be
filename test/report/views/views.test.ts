import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { vtabTaskNames } from '../../../src/config/official-datasets.js';
import type { PaperEntry } from '../../../src/report/paper/paper.js';
import { renderCsv } from '../../../src/report/render/render-csv.js';
import { formatCell, type Table } from '../../../src/report/render/table.js';
import { readReportContent } from '../../../src/report/report-content.js';
import type { StitchResult, TrialResult } from '../../../src/run-folder/result.js';
import { type FakeTrial, temporaryFolder, writeRunFolder } from '../../run-folder/run-folder-fixture.js';
import { noPaper } from '../no-paper.js';

const largest = { anchor: 'B', blocks: [0, 12] as const };
const pathOf = (id: number) => [{ anchor: 'S', blocks: [0, id + 1] as const }, largest];

/** A trial with the stitches of a hand-written list of [G FLOPs, accuracy, bin]. The last one is the anchor B alone. */
function trial(rows: readonly (readonly [number, number, number?])[], options: FakeTrial = {}): FakeTrial {
  const stitches = rows.map(([flops, accuracy, bin], id): StitchResult => {
    const path = id === rows.length - 1 ? [largest] : pathOf(id);
    const cost = { flops: Math.round(flops * 1e9), params: 1, trainable: 1 };
    return { id, path, ...cost, accuracy, ...(bin === undefined ? {} : { bin }) };
  });
  return { ...options, change: (result: TrialResult) => ({ ...result, stitches }) };
}

async function tablesOf(trials: readonly FakeTrial[]): Promise<Record<string, Table>> {
  const entries: Readonly<Record<string, PaperEntry[]>> = {
    'stanford-cars': [
      { gigaflops: 2.48, accuracy: 82, path: pathOf(0) },
      { gigaflops: 17.67, accuracy: 87.2, path: [largest] },
    ],
    'vtab-1k': [
      { gigaflops: 2, accuracy: 60 },
      { gigaflops: 4, accuracy: 70 },
      { gigaflops: 17.57, accuracy: 75 },
    ],
  };
  const reference = { anchors: ['S', 'B'], row: (dataset: string) => entries[dataset] };
  const { tables } = await readReportContent([await writeRunFolder(trials)], reference);
  return Object.fromEntries(tables.map((table) => [table.name, table]));
}

const rowsOf = (table: Table | undefined) => renderCsv(table!).split('\r\n');

test('methods: a budget that some seeds have no stitch for has no number', async () => {
  const pair = ([flops, accuracy]: readonly [number, number], last: readonly [number, number]) =>
    [[flops, accuracy, 0], last] as const;
  const { methods: table } = await tablesOf([
    trial(pair([1, 40], [4, 60]), { dataset: 'cars', seed: 0 }),
    trial(pair([3, 50], [4, 62]), { dataset: 'cars', seed: 1 }),
    trial(pair([1, 30], [4, 50]), { dataset: 'cars', method: 'sn-net' }),
  ]);
  const cells = (label: string) => {
    const { key } = table!.columns.find((column) => column.label === label)!;
    return table!.rows.map(({ cells }) => formatCell(cells[key]!, {}));
  };
  assert.deepEqual(cells('≤ 2 G'), ['–', '30.00']);
  assert.deepEqual(cells('≤ 3 G'), ['45.00 ± 7.07', '30.00']);
});

test('Table I: the deployed stitches by FLOPs, the paper beside its stitches, whatever FLOPs they have', async () => {
  const rows = [
    [2.2936, 81.5, 0],
    [2.4, 99], // evaluated, not deployed
    [2.48, 85, 1], // the FLOPs of another stitch of the paper
    [17.6703, 87.55],
  ] as const;
  const { 'table-one': table } = await tablesOf([trial(rows)]);
  assert.deepEqual(rowsOf(table), [
    'Data set,,1,2,3',
    'Stanford Cars,FLOPs (G),2.29,2.48,17.67',
    'Stanford Cars,Accuracy (%),81.50,85.00,87.55',
    'Stanford Cars,Paper (%),82.00,n/a,87.20',
    'Stanford Cars,Difference,-0.50,n/a,+0.35',
  ]);
  // A variant whose name begins like the method's label is another method.
  const { 'table-one': variant } = await tablesOf([trial(rows, { method: 'ESTA, three stitches a step' })]);
  assert.ok(rowsOf(variant).length > 1 && rowsOf(variant).every((row) => !row.includes('Paper')));
});

test('Table I: a mean over the tasks of VTAB-1k stands beside the line between the entries of the paper', async () => {
  const rows = [
    [2.5, 60, 0],
    [4, 71, 1],
    [17.67, 80],
  ] as const;
  const trials = vtabTaskNames.map((task) => trial(rows, { dataset: `vtab-${task}` }));
  const { 'table-one': table } = await tablesOf(trials);
  assert.deepEqual(rowsOf(table).slice(-4), [
    'VTAB-1k,FLOPs (G),2.50,4.00,17.67',
    'VTAB-1k,Accuracy (%),60.00,71.00,80.00',
    'VTAB-1k,Paper (%),62.50,70.00,75.00',
    'VTAB-1k,Difference,-2.50,+1.00,+5.00',
  ]);
});

test('Table I: in M when all is below 1 G, no paper rows without a match, means over seeds', async () => {
  const { 'table-one': table } = await tablesOf([
    trial(
      [
        [0.002, 40, 0],
        [0.0171, 50],
      ],
      { dataset: 'species', seed: 0 },
    ),
    trial(
      [
        [0.002, 42, 0],
        [0.0171, 51],
      ],
      { dataset: 'species', seed: 1 },
    ),
  ]);
  const texts = table!.rows.map(({ cells }) => ['1', '2'].map((key) => formatCell(cells[key]!, {})));
  assert.deepEqual(texts, [
    ['2.00', '17.10'],
    ['41.00 ± 1.41', '50.50 ± 0.71'],
  ]);
  assert.equal(table!.rows[0]!.cells['quantity'], 'FLOPs (M)');
});

test('Table I: without bins the Pareto frontier', async () => {
  const rows = [
    [1, 60],
    [2, 59],
    [3, 70],
    [4, 69.9],
    [5, 71],
  ] as const;
  const { 'table-one': table } = await tablesOf([trial(rows, { method: 'sn-net' })]);
  assert.deepEqual(rowsOf(table).slice(1), [
    'Stanford Cars,FLOPs (G),1.00,3.00,5.00',
    'Stanford Cars,Accuracy (%),60.00,70.00,71.00',
  ]);
  assert.deepEqual(table!.notes, [
    'SN-Net: from the Pareto frontier of all evaluated stitches, chosen by test accuracy',
  ]);
  // One stitch that was trained alone is no choice among others.
  const two = trial(rows.slice(0, 2));
  const change = (result: TrialResult) => {
    const { stitches } = two.change!(result) as TrialResult;
    return { ...result, stitches: stitches.slice(0, 1) };
  };
  const one: FakeTrial = { ...two, change };
  assert.deepEqual((await tablesOf([one]))['table-one']!.notes, []);
});

test('Table I: of a long frontier the best in each of fifteen ranges of FLOPs of one width', async () => {
  // 38 stitches of 1 to 38 G, each better than the one before: ranges of 37 / 15 = 2.47 G from 1 G on.
  const rows = Array.from({ length: 38 }, (_, index) => [index + 1, 50 + index] as const);
  const { 'table-one': table } = await tablesOf([trial(rows, { method: 'sn-net' })]);
  const best = [3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28, 30, 33, 35, 38];
  assert.deepEqual(rowsOf(table).slice(1), [
    `Stanford Cars,FLOPs (G),${best.map((flops) => flops.toFixed(2)).join()}`,
    `Stanford Cars,Accuracy (%),${best.map((flops) => (49 + flops).toFixed(2)).join()}`,
  ]);
  const { 'table-one': whole } = await tablesOf([trial(rows.slice(0, 15), { method: 'sn-net' })]);
  assert.equal(whole!.columns.filter(({ kind }) => kind === 'number').length, 15, 'fifteen are not thinned out');
});

test('methods: the largest deployed stitch within each budget, and the mean over data sets all have finished', async () => {
  const palette = (first: number, last: number) =>
    [
      [1, first, 0],
      [3, last, 1],
      [4, last + 1],
    ] as const;
  const { methods: table } = await tablesOf([
    trial(palette(60, 70), { dataset: 'cars', seed: 0 }),
    trial(palette(62, 74), { dataset: 'cars', seed: 1 }),
    trial(palette(80, 90), { dataset: 'dogs', seed: 0 }),
    trial(palette(50, 60), { dataset: 'cars', method: 'sn-net' }),
    { dataset: 'dogs', method: 'sn-net', state: 'failed' },
  ]);
  const column = (label: string) => table!.columns.find((candidate) => candidate.label === label)!;
  const texts = table!.rows.map(({ cells }) =>
    ['Data set', 'Method', 'Seeds', '≤ 2 G', '≤ 4 G'].map((label) =>
      formatCell(cells[column(label).key]!, column(label)),
    ),
  );
  assert.deepEqual(texts, [
    ['cars', 'ESTA', '2', '61.00 ± 1.41', '73.00 ± 2.83'],
    ['cars', 'SN-Net', '1', '50.00', '61.00'],
    ['dogs', 'ESTA', '1', '80.00', '91.00'],
    ['dogs', 'SN-Net', 'failed', 'failed', 'failed'],
  ]);
  assert.ok(table!.notes.some((note) => note.endsWith('some method has not finished there: dogs')));
});

test('methods: mean over tasks first, then over seeds', async () => {
  const { methods: table } = await tablesOf([
    trial(
      [
        [1, 60, 0],
        [4, 70],
      ],
      { dataset: 'cars', seed: 0 },
    ),
    trial(
      [
        [1, 64, 0],
        [4, 70],
      ],
      { dataset: 'cars', seed: 1 },
    ),
    trial(
      [
        [1.1, 80, 0],
        [4, 70],
      ],
      { dataset: 'dogs', seed: 0 },
    ),
    trial(
      [
        [1.2, 82, 0],
        [4, 70],
      ],
      { dataset: 'dogs', seed: 1 },
    ),
  ]);
  const mean = table!.rows.at(-1)!.cells;
  assert.equal(mean['dataset'], 'mean of 2 data sets');
  // Seeds 70 and 73.
  const cell = mean[table!.columns.find(({ label }) => label === '≤ 2 G')!.key]!;
  assert.equal(formatCell(cell, {}), '71.50 ± 2.12');
});

test('curves: means over budgets, paired differences to the first method, the largest drop', async () => {
  const curve = (...[low, middle, high]: [number, number, number]) =>
    [
      [1, low, 0],
      [3, middle, 1],
      [4, high],
    ] as const;
  const { curves: table } = await tablesOf([
    trial(curve(60, 70, 71), { dataset: 'cars', seed: 0 }),
    trial(curve(62, 74, 75), { dataset: 'cars', seed: 1 }),
    trial(curve(55, 50, 60), { dataset: 'cars', method: 'sn-net', seed: 0 }),
    trial(curve(57, 52, 62), { dataset: 'cars', method: 'sn-net', seed: 1 }),
    trial(curve(80, 90, 91), { dataset: 'dogs', seed: 0 }),
    trial(curve(70, 60, 65), { dataset: 'dogs', method: 'sn-net', seed: 0 }),
  ]);
  // Budgets 1, 1.5 ... 4: four times the first stitch, twice the second, once the third.
  assert.deepEqual(
    table!.rows.map(({ cells }) => table!.columns.map((column) => formatCell(cells[column.key]!, column)).join(' | ')),
    [
      'cars | ESTA | 2 | 65.86 ± 2.02 | – | 73.00 ± 2.83 | 0.00 ± 0.00',
      'cars | SN-Net | 2 | 55.29 ± 1.41 | -10.57 ± 0.61 | 61.00 ± 1.41 | 5.00 ± 0.00',
      'dogs | ESTA | 1 | 84.43 | – | 91.00 | 0.00',
      'dogs | SN-Net | 1 | 66.43 | -18.00 | 70.00 | 10.00',
      'mean of 2 data sets | ESTA | 1 | 74.43 | – | 81.00 | 0.00',
      'mean of 2 data sets | SN-Net | 1 | 60.36 | -14.07 | 65.00 | 7.50',
    ],
  );
  assert.equal(table!.columns[4]!.label, 'Against ESTA');
});

test('one method on one data set is compared with nothing', async () => {
  const tables = await tablesOf([{}]);
  assert.deepEqual([tables['methods'], tables['curves']], [undefined, undefined]);
});

test('the same trial of two runs is told apart by the run', async () => {
  const runs = [await writeRunFolder([{}], 'first'), await writeRunFolder([{}], 'second')];
  const { tables } = await readReportContent(runs, noPaper);
  const methods = tables.find(({ name }) => name === 'methods')!;
  assert.deepEqual(
    methods.rows.map(({ cells }) => cells['method']),
    ['ESTA · first', 'ESTA · second'],
  );
});

test('runs of one name, and copies of a trial, are never taken for seeds', async () => {
  const [one, other] = [await temporaryFolder(), await temporaryFolder()];
  const runs = [await writeRunFolder([{}], 'flowers', one), await writeRunFolder([{}], 'flowers', other)];
  const methodsOf = async (folders: readonly string[]) => {
    const { tables } = await readReportContent(folders, noPaper);
    return tables.find(({ name }) => name === 'methods')?.rows.map(({ cells }) => cells['method']);
  };
  assert.deepEqual(
    await methodsOf(runs),
    runs.map((run) => `ESTA · ${path.basename(path.dirname(run))}/flowers`),
  );
  assert.equal(await methodsOf([runs[0]!, `${runs[0]}/`, path.join(runs[0]!, '..', 'flowers')]), undefined, 'one run');

  const trial = path.join(runs[0]!, 'trials', 'stanford-cars-esta-seed0');
  await cp(trial, `${trial} copy`, { recursive: true });
  assert.deepEqual(await methodsOf([runs[0]!]), [
    'ESTA · stanford-cars-esta-seed0',
    'ESTA · stanford-cars-esta-seed0 copy',
  ]);
  const { problems } = await readReportContent([runs[0]!], noPaper);
  assert.match(problems.join(), /seed0, stanford-cars-esta-seed0 copy are of one data set, method and seed: copies/);
});

test('trials: failed, running and missing ones are marked, errors in the notes', async () => {
  const { trials: table } = await tablesOf([
    { seed: 0, change: (result) => ({ ...result, trainSeconds: 7385 }) },
    { seed: 1, state: 'failed' },
    { seed: 2, state: 'running' },
    { seed: 3, state: 'waiting' },
  ]);
  const [finished, ...others] = rowsOf(table).slice(1);
  assert.match(finished!, /^Stanford Cars,ESTA,0,1e-3,finished,\d\d\.\d\d,2 h 03 min$/);
  assert.deepEqual(others, [
    'Stanford Cars,ESTA,1,1e-3,failed,failed,failed',
    'Stanford Cars,ESTA,2,1e-3,"running, epoch 37 of 100",running,running',
    'Stanford Cars,ESTA,3,1e-3,missing,missing,missing',
  ]);
  assert.match(table!.notes[0]!, /^best: .*; time: trainings and their grids/);
  assert.deepEqual(table!.notes.slice(1), ['fgvc/stanford-cars-esta-seed1: the loss is not a number at step 120']);
});

test('trials: of several trainings each rate is named, where they differ', async () => {
  const stagesOf = (...rates: readonly number[]) =>
    rates.map((learningRate, index) => {
      const trainable = { anchors: 0, lowRank: 1, stitchingLayers: 0, stitchBias: 0, heads: 0, total: 1 };
      return { name: `anchor-${index}`, learningRate, epochs: 1, trainSeconds: 1, trainable };
    });
  const rateOf = async (...rates: readonly number[]) => {
    const change = (result: TrialResult) => ({ ...result, learningRate: rates.at(-1)!, stages: stagesOf(...rates) });
    const run = await writeRunFolder([{ change, learningRate: rates.at(-1)! }]);
    const { trials, tables } = await readReportContent([run], noPaper);
    const { cells } = tables.find(({ name }) => name === 'trials')!.rows[0]!;
    return [cells['learningRate'], trials[0]!.result!.stages!.length];
  };
  assert.deepEqual(await rateOf(0.1, 0.3), ['1e-1, 3e-1', 2]);
  assert.deepEqual(await rateOf(0.3, 0.3), ['3e-1', 2]);
});

test('trials: how many of what was chosen is left out, where anything was compared', async () => {
  const rows = [
    [1, 60, 0],
    [3, 70],
  ] as const;
  const compared = (beaten: TrialResult['beaten'], options: FakeTrial): FakeTrial => {
    const given = trial(rows, options);
    return { ...given, change: (result) => ({ ...(given.change!(result) as TrialResult), ...(beaten && { beaten }) }) };
  };
  const { trials: table } = await tablesOf([
    compared([{ id: 4, bin: 1, by: 0 }], { seed: 0 }),
    compared([], { seed: 1 }),
    compared(undefined, { seed: 2 }),
    { seed: 3, state: 'failed' },
  ]);
  const column = table!.columns.find(({ label }) => label === 'Left out')!;
  assert.deepEqual(
    table!.rows.map(({ cells }) => formatCell(cells[column.key]!, column)),
    ['1', '0', '–', 'failed'],
  );
  assert.match(table!.notes[1]!, /^left out: stitches that were chosen for a bin and not deployed/);
  assert.equal(table!.notes[2], 'stanford-cars-esta-seed0: stitch 4 (of bin 2) by 0');
  const { trials: plain } = await tablesOf([trial(rows)]);
  assert.ok(plain!.columns.every(({ label }) => label !== 'Left out'));
  assert.equal(plain!.notes.length, 1);
});

/** Two bins and the largest anchor, for `trial`. */
const whole = [
  [1, 60, 0],
  [2, 66, 1],
  [3, 70],
] as const;

test('Table I: a bin that one of the seeds leaves empty is a mean over the others, which a note says', async () => {
  const without = trial(whole, { seed: 1 });
  const change = (result: TrialResult) => {
    const { stitches } = without.change!(result) as TrialResult;
    return { ...result, stitches: stitches.filter(({ bin }) => bin !== 1) };
  };
  const higher = whole.map(([flops, accuracy, bin]): [number, number, number?] =>
    bin === undefined ? [flops, accuracy + 2] : [flops, accuracy + 2, bin],
  );
  const { 'table-one': table } = await tablesOf([
    trial(whole, { seed: 0 }),
    { ...without, change },
    trial(higher, { seed: 2 }),
  ]);
  const cells = table!.rows[1]!.cells;
  assert.deepEqual(
    ['1', '2', '3'].map((key) => formatCell(cells[key]!, {})),
    ['60.67 ± 1.15', '67.00 ± 1.41', '70.67 ± 1.15'],
  );
  assert.deepEqual(table!.notes, [
    'mean ± standard deviation over seeds (3 of them)',
    'a bin that some seeds leave empty: mean over the other seeds',
  ]);
  const { 'table-one': full } = await tablesOf([trial(whole, { seed: 0 }), trial(whole, { seed: 1 })]);
  assert.equal(full!.notes.length, 1);
});

test('Table I: a mean over data sets is without the bins that one of them leaves empty, which a note says', async () => {
  const notesOf = async (dogs: typeof whole | readonly [(typeof whole)[0], (typeof whole)[2]]) => {
    const { 'table-one': table } = await tablesOf([
      trial(whole, { dataset: 'cars' }),
      trial(dogs, { dataset: 'dogs' }),
    ]);
    return table!.notes;
  };
  const note = 'means over data sets: without the bins that some of them leave empty';
  assert.deepEqual(await notesOf([whole[0], whole[2]]), [note]);
  assert.deepEqual(await notesOf(whole), []);
});
