import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { binsOfFlops, binsOfLatency, regretsOf, regretView } from '../../../src/report/views/regret-view.js';
import { fingerprintOf } from '../../../src/run-folder/measured/measurement.js';
import { writeMachine } from '../../../src/run-folder/measured/measurements-folder.js';
import { readRunFolder } from '../../../src/run-folder/run-folder.js';
import type { TrialValidation } from '../../../src/run-folder/validation.js';
import { machine } from '../../run-folder/measured/measured-fixture.js';
import { writeRunFolder } from '../../run-folder/run-folder-fixture.js';

/** Two bins of two and three stitches; stitch 5 is the largest anchor. */
const validation: TrialValidation = {
  version: 1,
  bins: 2,
  largest_anchor: 5,
  stitches: [
    { id: 0, flops: 10, accuracy: 60, importance: 0.9, bin: 0 },
    { id: 1, flops: 20, accuracy: 64, importance: 0.1, bin: 0 },
    { id: 2, flops: 60, accuracy: 70, importance: 0.2, bin: 1 },
    { id: 3, flops: 70, accuracy: 70, importance: 0.8, bin: 1 },
    { id: 4, flops: 80, accuracy: 66, bin: 1 },
    { id: 5, flops: 100, accuracy: 75, importance: 1 },
  ],
};

/** Milliseconds from 1 to 8 in two bins: below 4.5, and above. Stitch 2 is fast for its FLOPs. */
const times = new Map([
  [0, 1],
  [1, 4],
  [2, 2],
  [3, 7],
  [4, 8],
  [5, 9],
]);

const inShort = (bins: readonly (readonly number[])[]) =>
  regretsOf(validation, bins).map(({ chosen, best, regret }) => [chosen.id, best.id, regret]);

test('the regret of a bin: by how much its best stitch is better than the most important one', () => {
  assert.deepEqual(binsOfFlops(validation), [
    [0, 1],
    [2, 3, 4],
  ]);
  const turned = { ...validation, stitches: validation.stitches.toReversed() };
  assert.deepEqual(binsOfFlops(turned), binsOfFlops(validation), 'whatever their order, by rising FLOPs');
  assert.deepEqual(binsOfLatency(turned, times), binsOfLatency(validation, times));
  assert.deepEqual(inShort(binsOfFlops(validation)), [
    [0, 1, 4],
    [3, 3, 0], // as good as stitch 2
  ]);
  assert.deepEqual(inShort([[], [4]]), [[4, 4, 0]], 'an empty bin deploys nothing');
});

test('bins over milliseconds group other stitches than bins over FLOPs', () => {
  const bins = binsOfLatency(validation, times)!;
  assert.deepEqual(bins, [
    [0, 2, 1],
    [3, 4],
  ]);
  assert.deepEqual(inShort(bins), [
    [0, 2, 10],
    [3, 3, 0],
  ]);
  const some = new Map([...times].slice(1));
  assert.equal(binsOfLatency(validation, some), undefined, 'not all stitches were measured');
});

test('of language models the best has the lowest loss, as deployment chooses', () => {
  const of = (id: number, accuracy: number, loss: number, importance: number) => ({
    ...{ id, flops: id + 1, accuracy, loss, importance, bin: 0 },
  });
  const stitches = [of(0, 50, 1.2, 3), of(1, 60, 1.5, 2), of(2, 49, 1.1, 1)];
  const [regret] = regretsOf({ version: 1, bins: 1, largest_anchor: 9, stitches }, [[0, 1, 2]]);
  assert.deepEqual([regret!.chosen.id, regret!.best.id, regret!.regret], [0, 2, -1]);
  const [none] = regretsOf({ version: 1, bins: 1, largest_anchor: 9, stitches: stitches.slice(0, 2) }, [[0, 1]]);
  assert.deepEqual([none!.best.id, none!.regret], [0, 0]);
});

test('methods without scores have no regret', () => {
  const stitches = validation.stitches.map(({ importance: _, ...stitch }) => stitch);
  assert.deepEqual(regretsOf({ ...validation, stitches }, binsOfFlops(validation)), []);
});

test('a report shows both kinds of bins, each with its mean', async () => {
  const folder = await writeRunFolder([{}]);
  const [trial] = (await readRunFolder(folder)).trials;
  assert.equal(regretView([await readRunFolder(folder)]), undefined);
  await writeFile(path.join(folder, 'trials', trial!.name, 'validation.json'), JSON.stringify(validation));
  const stitches = [...times].map(([id, ms]) => ({ id, flops: 1, latencies: [{ batch: 1, median_ms: ms }] }));
  const trials = [{ trial: trial!.name, fingerprint: fingerprintOf(trial!.result!), stitches }];
  await writeMachine(folder, { ...machine('laptop'), trials });
  const rows = regretView([await readRunFolder(folder)])!.rows.map(({ cells }) => [
    cells['bins'],
    cells['bin'],
    cells['regret'],
  ]);
  assert.deepEqual(rows, [
    ['FLOPs', '1', 4],
    ['FLOPs', '2', 0],
    ['FLOPs', 'mean', 2],
    ['ms on laptop', '1', 10],
    ['ms on laptop', '2', 0],
    ['ms on laptop', 'mean', 5],
  ]);
});
