import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { tableOneReference } from '../../src/report/paper/table-one.js';
import type { ReportJson } from '../../src/report/render/render-json.js';
import { renderText } from '../../src/report/render/render-text.js';
import { buildReport } from '../../src/report/report.js';
import { readReportContent } from '../../src/report/report-content.js';
import { renderRunSummary } from '../../src/report/summary.js';
import { temporaryFolder, writeRunFolder } from '../run-folder/run-folder-fixture.js';

test('text goes to the caller, the figure into the run folder', async () => {
  const run = await writeRunFolder([{ state: 'finished' }, { seed: 1, state: 'failed' }]);
  const { text, files, next } = await buildReport([run], 'text');
  assert.match(text, /^FLOPs and top-1 accuracy of the deployed stitches/);
  assert.deepEqual(
    files.map((file) => path.resolve(file)),
    ['figure.svg', 'figure.png', 'figure-deployed.svg', 'figure-deployed.png'].map((name) => path.join(run, name)),
  );
  assert.deepEqual(next, {
    purpose: '1 trial has no result yet. The run goes on with:',
    command: `esta run ${path.join(run, 'experiment.yaml')} --out ${run}`,
  });
});

test('several runs: the figure goes into the folder that holds them', async () => {
  const parent = await temporaryFolder();
  const runs = [await writeRunFolder([{}], 'a', parent), await writeRunFolder([{ dataset: 'cars' }], 'b', parent)];
  const { files } = await buildReport(runs, 'text');
  assert.equal(path.resolve(files[0]!), path.join(parent, 'figure.svg'));
});

test('of several runs, the next step says whose trials it runs', async () => {
  const parent = await temporaryFolder();
  const runs = [await writeRunFolder([{}], 'a', parent)];
  for (const name of ['b', 'c']) {
    runs.push(await writeRunFolder([{ state: 'waiting' }, { seed: 1, state: 'waiting' }], name, parent));
  }
  const { next } = await buildReport(runs, 'text');
  assert.equal(next?.purpose, '2 trials of b have no result yet. The run goes on with:');
});

test('a written document names the figure beside it', async () => {
  const run = await writeRunFolder([{}]);
  const out = path.join(await temporaryFolder(), 'tables');
  await buildReport([run], 'md', { out });
  assert.deepEqual(await readdir(out), [
    'figure-deployed.png',
    'figure-deployed.svg',
    'figure.png',
    'figure.svg',
    'report.md',
  ]);
  assert.ok((await readFile(path.join(out, 'report.md'), 'utf8')).includes('![Accuracy against FLOPs](figure.svg)'));
  await buildReport([run], 'latex', { out: path.join(out, 'paper.tex') });
  assert.ok((await readFile(path.join(out, 'paper.tex'), 'utf8')).includes('{figure.png}'));
});

test('CSV into a folder: a file for each table', async () => {
  const out = await temporaryFolder();
  const { files } = await buildReport([await writeRunFolder([{}])], 'csv', { out });
  assert.deepEqual(
    files.map((file) => path.basename(file)),
    ['table-one.csv', 'deployed.csv', 'trials.csv', 'stitches.csv'],
  );
  const stitches = (await readFile(path.join(out, 'stitches.csv'), 'utf8')).trimEnd().split('\r\n');
  assert.equal(stitches.length, 1 + 71);
});

test('JSON: raw numbers under the names of the command contract', async () => {
  const beaten = [{ id: 4, bin: 1, by: 0 }];
  const run = await writeRunFolder([{ change: (result) => ({ ...result, beaten }) }, { seed: 1, state: 'waiting' }]);
  const { text } = await buildReport([run], 'json');
  const { trials, problems } = JSON.parse(text) as ReportJson;
  assert.deepEqual(
    trials.map(({ dataset, method, seed, status }) => [dataset, method, seed, status]),
    [
      ['stanford-cars', 'esta', 0, 'finished'],
      ['stanford-cars', 'esta', 1, 'missing'],
    ],
  );
  const largest = trials[0]!.stitches.find(({ id }) => id === 2)!;
  // 17.67 G and 87.20 % in the supplement's row of Stanford Cars.
  assert.deepEqual([Number((largest.flops / 1e9).toFixed(2)), largest.paper_accuracy], [17.67, 87.2]);
  assert.equal(problems.length, 1);
  assert.deepEqual(
    trials.map((trial) => trial.left_out),
    [beaten, undefined],
  );
});

test('a run whose every trial failed is reported without a figure', async () => {
  const { text, files } = await buildReport([await writeRunFolder([{ state: 'failed' }])], 'text');
  assert.match(text, /failed: the trial did not finish/);
  assert.deepEqual(files, []);
});

test('the summary of a run: its tables and its figure', async () => {
  const run = await writeRunFolder([{}, { seed: 1 }]);
  const { text, files } = await renderRunSummary(run, 100);
  assert.match(text, /mean ± standard deviation over seeds/);
  assert.deepEqual(
    files.map((file) => path.relative(run, file)),
    ['figure.svg', 'figure.png'],
  );
});

test('a line of the text is no longer than the terminal, whatever is compared', async () => {
  const methods = ['esta', 'sn-net', 'adapt-then-stitch'];
  const datasets = ['stanford-cars', 'cub-200-2011', 'a-data-set-of-ones-own-with-quite-a-long-name'];
  const trials = datasets.flatMap((dataset) =>
    methods.flatMap((method) => [0, 1].map((seed) => ({ dataset, method, seed }))),
  );
  const { tables } = await readReportContent([await writeRunFolder(trials)], tableOneReference);
  assert.ok(tables.length > 3);
  for (const width of [60, 80, 120]) {
    const lines = tables.flatMap((table) => renderText(table, width).split('\n'));
    const tooLong = lines.filter((line) => line.length > width);
    assert.deepEqual(tooLong, [], `${width} columns`);
  }
});

test('a file name that says another format, or none, is refused; a folder may be new', async () => {
  const run = await writeRunFolder([{}]);
  const folder = await temporaryFolder();
  for (const [name, format] of [
    ['x.pdf', 'text'],
    ['x.html', 'csv'],
    ['x.html.bak', 'html'],
  ] as const) {
    const out = path.join(folder, name);
    await assert.rejects(buildReport([run], format, { out }), { name: 'RequestError', message: /ends in \.\w+$/ });
  }
  assert.deepEqual(await readdir(folder), []);
  const { files, page } = await buildReport([run], 'html', { out: path.join(folder, 'x.HTM') });
  assert.deepEqual([files, page], [[path.join(folder, 'x.HTM')], path.join(folder, 'x.HTM')]);
  const into = await buildReport([run], 'md', { out: path.join(folder, 'v1.2/') });
  assert.equal(into.files[0], path.join(folder, 'v1.2/report.md'));
});

test('a trial that has no learning rate yet shows none, not 0', async () => {
  const run = await writeRunFolder([{}, { seed: 1, state: 'waiting', learningRate: 0 }]);
  assert.match((await buildReport([run], 'text')).text, /ESTA +0 +1e-3 +finished.*\n.*ESTA +1 +– +missing/);
  const { trials } = JSON.parse((await buildReport([run], 'json')).text) as ReportJson;
  assert.deepEqual(
    trials.map(({ learning_rate }) => learning_rate),
    [1e-3, null],
  );
});
