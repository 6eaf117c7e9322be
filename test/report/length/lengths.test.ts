/** Methods trained for several lengths: compared by their longest training, and at equal training time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawFigures } from '../../../src/report/figures/figure-files.js';
import { renderCsv } from '../../../src/report/render/render-csv.js';
import { type ReportContent, readReportContent } from '../../../src/report/report-content.js';
import type { StitchResult, TrialResult } from '../../../src/run-folder/result.js';
import { type FakeTrial, writeRunFolder } from '../../run-folder/run-folder-fixture.js';
import { noPaper } from '../no-paper.js';

/** A trial of a variant that took so long, with stitches of 1, 2 and 3 MFLOPs of these accuracies. */
function trained(
  name: string,
  epochs: number,
  trainSeconds: number,
  accuracies: readonly [number, number, number],
  options: FakeTrial = {},
): FakeTrial {
  const variant = `${name} for ${epochs} epochs`;
  const stitches = accuracies.map((accuracy, id): StitchResult => {
    const path = [
      { anchor: 'S', blocks: [0, id + 1] as const },
      ...(id < 2 ? [{ anchor: 'B', blocks: [3, 4] as const }] : []),
    ];
    return { id, path, flops: (id + 1) * 1e6, params: 1, trainable: 1, accuracy, ...(id < 2 && { bin: id }) };
  });
  const change = (result: TrialResult) => ({ ...result, method: 'esta', variant, trainSeconds, epochs, stitches });
  return { dataset: 'a', ...options, method: variant.replaceAll(' ', '-'), change };
}

const seeds = [
  trained('ESTA', 3, 9, [30, 50, 70]),
  trained('ESTA', 3, 11, [32, 52, 72], { seed: 1 }),
  trained('ESTA', 10, 30, [60, 70, 80]),
  trained('ESTA', 10, 34, [64, 74, 84], { seed: 1 }),
  trained('SN-Net', 3, 4, [80, 60, 70]),
  trained('SN-Net', 10, 15, [70, 70, 70]),
];

async function contentOf(trials: readonly FakeTrial[]): Promise<ReportContent> {
  return readReportContent([await writeRunFolder(trials)], noPaper);
}

const rowsOf = ({ tables }: ReportContent, name: string) => {
  const table = tables.find((table) => table.name === name);
  return table && renderCsv(table).split('\r\n');
};

test('each length has its time and its accuracy over budgets, over the seeds', async () => {
  // Budgets of 1, 1.5, 2, 2.5 and 3 MFLOPs: (30 + 30 + 50 + 50 + 70) / 5 = 46 for the first seed, 48 for the second.
  const content = await contentOf(seeds);
  assert.deepEqual(rowsOf(content, 'lengths'), [
    'Data set,Method,Epochs,Seeds,Training (s),Training (s) std,Mean (%),Mean (%) std,Best (%),Best (%) std,Largest drop,Largest drop std',
    'a,ESTA,3,2,10,1,47.00,1.41,71.00,1.41,0.00,0.00',
    'a,ESTA,10,2,32,3,70.00,2.83,82.00,2.83,0.00,0.00',
    'a,SN-Net,3,1,4,n/a,70.00,n/a,80.00,n/a,20.00,n/a',
    'a,SN-Net,10,1,15,n/a,70.00,n/a,70.00,n/a,0.00,n/a',
  ]);
});

test('at equal time the longest training counts that takes no longer', async () => {
  assert.deepEqual(rowsOf(await contentOf(seeds), 'equal-time'), [
    'Data set,Method,≤ 5 s,≤ 10 s,≤ 10 s std,≤ 20 s,≤ 20 s std,≤ 50 s,≤ 50 s std',
    'a,ESTA,n/a,47.00,1.41,47.00,1.41,70.00,2.83',
    'a,SN-Net,70.00,70.00,n/a,70.00,n/a,70.00,n/a',
  ]);
});

test('everything else compares the longest trainings alone, and what is not varied stays', async () => {
  const content = await contentOf(seeds);
  assert.deepEqual(
    rowsOf(content, 'curves')!.map((row) => row.split(',')[1]),
    ['Method', 'ESTA for 10 epochs', 'SN-Net for 10 epochs'],
  );
  assert.equal(rowsOf(content, 'trials')!.length, 1 + seeds.length);
  const one = await contentOf([trained('ESTA', 10, 30, [60, 70, 80]), { dataset: 'a', method: 'sn-net' }]);
  assert.equal(rowsOf(one, 'lengths'), undefined);
  assert.equal(rowsOf(one, 'equal-time'), undefined);
  assert.ok(!one.figures.some(({ name }) => name === 'figure-time'));
});

test('the mean over tasks has the seeds and lengths that all tasks have; it is what the figure draws', async () => {
  const other = seeds.slice(0, 5).map((trial) => ({
    ...trial,
    dataset: 'b',
    change: (result: TrialResult) => ({ ...(trial.change!(result) as TrialResult), dataset: 'b' }),
  }));
  const content = await contentOf([...seeds, ...other, trained('SN-Net', 10, 25, [80, 80, 80], { dataset: 'b' })]);
  assert.deepEqual(rowsOf(content, 'lengths')!.slice(-4), [
    'mean of 2 data sets,ESTA,3,2,10,1,47.00,1.41,71.00,1.41,0.00,0.00',
    'mean of 2 data sets,ESTA,10,2,32,3,70.00,2.83,82.00,2.83,0.00,0.00',
    'mean of 2 data sets,SN-Net,3,1,4,n/a,70.00,n/a,80.00,n/a,20.00,n/a',
    'mean of 2 data sets,SN-Net,10,1,20,n/a,75.00,n/a,75.00,n/a,0.00,n/a',
  ]);
  const { title, spec } = content.figures.find(({ name }) => name === 'figure-time')!;
  assert.equal(title, 'Accuracy against training time');
  const { values } = (spec as { data: { values: Record<string, unknown>[] } }).data;
  assert.deepEqual(values.at(-1), { method: 'SN-Net', seconds: 20, accuracy: 75, low: 75, high: 75 });
  assert.equal(values.length, 4);
});

test('the figure is drawn, with a word for each method', async () => {
  const { figures } = await contentOf(seeds);
  const [drawn] = await drawFigures(figures.filter(({ name }) => name === 'figure-time'));
  for (const word of ['ESTA', 'SN-Net', 'Training time (s)']) assert.ok(drawn!.svg.includes(`>${word}<`), word);
});
