import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { buildReport } from '../../../src/report/report.js';
import { budgetsView } from '../../../src/report/views/budgets-view.js';
import { fingerprintOf } from '../../../src/run-folder/measured/measurement.js';
import { writeMachine } from '../../../src/run-folder/measured/measurements-folder.js';
import { readRunFolder } from '../../../src/run-folder/run-folder.js';
import { parseBudget } from '../../../src/shared/costs/budget.js';
import { machine } from '../../run-folder/measured/measured-fixture.js';
import { writeRunFolder } from '../../run-folder/run-folder-fixture.js';

/** A run folder whose stitches take one millisecond for each GFLOP, on the machines that are named. */
async function measuredFolder(...names: string[]): Promise<string> {
  const folder = await writeRunFolder([{}]);
  const [trial] = (await readRunFolder(folder)).trials;
  const { result, name } = trial!;
  for (const machineName of names) {
    const stitches = result!.stitches.map(({ id, flops }) => {
      return { id, flops, latencies: [{ batch: 1, median_ms: flops / 1e9, p90_ms: (1.1 * flops) / 1e9 }] };
    });
    const trials = [{ trial: name, fingerprint: fingerprintOf(result!), stitches }];
    await writeMachine(folder, { ...machine(machineName), trials });
  }
  return folder;
}

test('one row for each budget; one that nothing meets names the nearest', async () => {
  const run = await readRunFolder(await measuredFolder('laptop'));
  const budgets = ['5ms', '5', '0.1ms'].map(parseBudget);
  const table = budgetsView([run], { budgets })!;
  const [fast, cheap, none] = table.rows.map(({ cells }) => cells);
  const dearest = run.trials[0]!.result!.stitches.filter(({ flops }) => flops <= 5e9).sort(
    (a, b) => b.flops - a.flops,
  )[0]!;
  assert.deepEqual(
    [fast!['stitch'], fast!['accuracy'], fast!['budget']],
    [dearest.id, dearest.accuracy, '5 ms on laptop'],
  );
  assert.deepEqual([cheap!['stitch'], cheap!['budget']], [dearest.id, '5 GFLOPs']);
  assert.deepEqual(none!['stitch'], { mark: 'none' });
  assert.match(table.notes.at(-1)!, /costs 0\.1 ms or less on laptop: the nearest is stitch \d+ with 1\.\d+ ms/);
  assert.equal(budgetsView([run], { budgets: [] }), undefined);
  assert.ok(!table.columns.some(({ key }) => key === 'run'));
  const both = budgetsView([run, { ...run, name: 'other' }], { budgets: budgets.slice(0, 1) })!;
  assert.equal(both.columns[0]!.key, 'run');
  assert.deepEqual(
    both.rows.map(({ cells }) => cells['run']),
    [run.name, 'other'],
  );
});

test('milliseconds of which machine, has to be said where there are several', async () => {
  const run = await readRunFolder(await measuredFolder('laptop', 'phone'));
  const question = { budgets: [parseBudget('5ms')] };
  assert.throws(() => budgetsView([run], question), { name: 'RequestError', hint: /laptop, phone/ });
  assert.equal(budgetsView([run], { ...question, machine: 'phone' })!.rows[0]!.cells['budget'], '5 ms on phone');
});

test('a report shows budgets first, what was measured, and draws it', async () => {
  const folder = await measuredFolder('laptop');
  const { text, files } = await buildReport([folder], 'text', { question: { budgets: [parseBudget('5ms')] } });
  assert.match(text, /^What the budget buys\n/);
  assert.match(text, /\nWhat stitches take, measured\n.*laptop: .*; FLOPs order these stitches as milliseconds do/s);
  assert.ok(files.map((file) => path.basename(file)).includes('figure-latency.svg'));
});

test('a report of one machine shows that one alone; one that has measured nothing is refused', async () => {
  const folder = await measuredFolder('box', 'phone');
  const reported = (machine?: string, ...budgets: string[]) =>
    buildReport([folder], 'text', { question: { budgets: budgets.map(parseBudget), machine } });
  const [all, phone] = [await reported(), await reported('phone')];
  assert.match(all.text, /box: onnxruntime.*phone: onnxruntime/s);
  assert.match(phone.text, /\n.*phone: onnxruntime/);
  assert.doesNotMatch(phone.text, /\bbox\b/);
  for (const budgets of [[], ['5ms'], ['5']]) {
    await assert.rejects(reported('nosuch', ...budgets), {
      ...{ name: 'RequestError', hint: /^(Choose one of|Choose one with --machine:) box, phone/ },
      message: /was not measured on "nosuch"$/,
    });
  }
  const unmeasured = await measuredFolder();
  await assert.rejects(buildReport([unmeasured], 'text', { question: { budgets: [], machine: 'box' } }), {
    hint: /\nNext: esta measure /,
  });
});
