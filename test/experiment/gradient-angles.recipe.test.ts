/** Angles between gradients in whole runs: measured once, whenever the run was stopped, and shown by the report. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { readReportContent } from '../../src/report/report-content.js';
import { Interrupted } from '../../src/shared/errors.js';
import { noPaper } from '../report/no-paper.js';
import { miniature, outcomeOf, watchedProgress } from './miniature.js';

const trial = 'species-esta-seed0';

test('angles of a run reach its report and change nothing else', async (t) => {
  const mini = await miniature(t);
  const evaluation = { gradient_angles: { stitches: 3, at: 0.5, batches: 2, source: ['species'] } };
  await mini.run(mini.experiment(), 'without');
  await mini.run(mini.experiment({ evaluation }), 'run');
  const run = path.join(mini.folder, 'run');
  const { tables, figures, problems } = await readReportContent([run], noPaper);
  assert.deepEqual(problems, []);
  const { title, rows, notes } = tables.find(({ name }) => name === 'angles')!;
  assert.match(title, /Ti → S, ESTA/);
  assert.equal(notes[0], 'pairs of 3 stitches, weights of the blocks that both run; 2 batches after epoch 1');
  const [row] = rows;
  assert.deepEqual([row!.cells['dataset'], row!.cells['domain'], row!.cells['count']], ['species', 'source', 2 * 3]);
  const mean = row!.cells['mean'] as number;
  assert.ok(mean > 0 && mean < 180, `${mean}`);
  assert.ok(figures.some(({ name }) => name === 'figure-angles'));
  const { result: measured, ...outcome } = (await outcomeOf(run, trial)) as { result: object };
  const { result, ...without } = (await outcomeOf(path.join(mini.folder, 'without'), trial)) as { result: object };
  assert.deepEqual(outcome, without);
  const anonymous = { configuration: '', settings: '' };
  assert.deepEqual({ ...measured, ...anonymous }, { ...result, ...anonymous });

  // Stopped while gradients are compared and resumed equals never stopped.
  const controller = new AbortController();
  const progress = watchedProgress((label, done) => {
    if (label.includes('comparing gradients') && done === 4) controller.abort();
  });
  const anglesOf = (folder: string) => readFile(path.join(mini.folder, folder, 'trials', trial, 'angles.json'), 'utf8');
  await assert.rejects(
    mini.run(mini.experiment({ evaluation }), 'stopped', { progress, signal: controller.signal }),
    Interrupted,
  );
  await assert.rejects(anglesOf('stopped'), { code: 'ENOENT' });
  await mini.run(mini.experiment({ evaluation }), 'stopped');
  assert.equal(await anglesOf('stopped'), await anglesOf('run'));
});

test('SN-Net compares gradients of the weights themselves; without shared weights there are no angles', async (t) => {
  const mini = await miniature(t);
  const evaluation = { gradient_angles: { stitches: 2, at: 0 } };
  const methods = ['sn-net', 'ss-lora'];
  await mini.run(mini.experiment({ methods, evaluation, training: { epochs: 1 } }), 'run');
  const { trials } = await readReportContent([path.join(mini.folder, 'run')], noPaper);
  assert.deepEqual(
    trials.map(({ identity, state, angles }) => [identity!.method, state, angles?.angles.length]),
    [
      ['sn-net', 'finished', 1],
      ['ss-lora', 'finished', undefined],
    ],
  );
});
