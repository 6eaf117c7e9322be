/** What a worker tells of its orders and its progress; whole workers: run-jobs.recipe.test.ts. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import type { Assignment, Report } from '../../../src/experiment/jobs/messages.js';
import { obeying, toldProgress } from '../../../src/experiment/jobs/orders.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../written-run.js';

const trial = 'species-esta-seed0';

test('orders are answered: opened, refused, run, stopped', async (t) => {
  const folder = temporaryFolder(t);
  const runFolder = path.join(folder, 'run');
  const document = {
    name: 'written',
    anchors: await writtenAnchors(folder),
    data: { kind: 'species', classes: 2, train_images: 4, validation_images: 1, test_images: 1 },
    adaptation: { ranks: [2, 2] },
    training: { epochs: 1, batch_size: 4, base_learning_rates: [0.1, 0.2] },
  };
  const experiment = experimentSchema.parse(document);
  const assignment: Assignment = {
    ...{ experiment, variants: [], runFolder, cacheFolder: path.join(folder, 'cache'), reuse: [] },
    ...{ engine: 'onnxruntime', device: 'cpu', threads: 1, command: 'esta run' },
  };
  const told: Report[] = [];
  const worker = (signal = new AbortController().signal) => obeying((report) => void told.push(report), signal);
  const answered = async (obey: ReturnType<typeof worker>, order: Parameters<typeof obey>[0]) => {
    told.length = 0;
    await obey(order);
    return told.filter(({ is }) => is !== 'line' && is !== 'progress');
  };
  const obey = worker();
  assert.deepEqual(await answered(obey, { run: trial }), [
    { is: 'refused', exitStatus: 2, message: 'a worker that has nothing open was told to run something' },
  ]);
  assert.deepEqual(await answered(obey, { open: assignment }), [{ is: 'open' }]);
  const id = `${trial}/stitched`;
  const waitsFor = [0.1, 0.2].map((rate) => `${id}-grid-${rate}`);
  assert.deepEqual(await answered(obey, { run: id }), [{ is: 'outcome', id, outcome: { state: 'waiting', waitsFor } }]);
  await writtenRun(runFolder, document);
  assert.deepEqual(await answered(obey, { run: id }), [{ is: 'outcome', id, outcome: { state: 'finished' } }]);

  const large = { ...experiment, training: { ...experiment.training, batch_size: 64 } };
  const [refused] = await answered(worker(), {
    open: { ...assignment, experiment: large, runFolder: path.join(folder, 'other') },
  });
  assert.ok(refused?.is === 'refused' && /8 training images do not fill a batch/.test(refused.message));
  assert.match(refused.hint!, /^Nothing was trained or written/);
  const stopped = worker(AbortSignal.abort());
  assert.deepEqual(await answered(stopped, { open: assignment }), [{ is: 'open' }]);
  assert.deepEqual(await answered(stopped, { run: id }), [{ is: 'stopped' }]);
  const bug = { ...assignment, experiment: undefined } as unknown as Assignment;
  await assert.rejects(worker()({ open: bug }), TypeError);
});

test('progress is told at its start and five times a second; lines at once', () => {
  const told: Report[] = [];
  let clock = 1000;
  const progress = toldProgress(
    (report) => void told.push(report),
    () => clock,
  );
  progress.start('a', 10);
  progress.update(1, { loss: '2' });
  clock += 199;
  progress.update(2);
  clock += 1;
  progress.update(3, { rate: '1' });
  progress.start('b', 5, { epoch: '1' }, 4);
  progress.line('something');
  progress.stop();
  clock += 200;
  progress.update(5);
  const at = (label: string, done: number, total: number, fields: object) => ({
    ...{ is: 'progress', label, done, total, fields },
  });
  assert.deepEqual(told, [
    at('a', 0, 10, {}),
    at('a', 3, 10, { loss: '2', rate: '1' }),
    at('b', 4, 5, { epoch: '1' }),
    { is: 'line', text: 'something' },
    at('b', 5, 5, { epoch: '1' }),
  ]);
});
