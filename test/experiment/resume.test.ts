/** An interrupted run ends with the numbers of an uninterrupted one, bit for bit. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Experiment } from '../../src/config/schema.js';
import { Interrupted } from '../../src/shared/errors.js';
import { type Miniature, miniature, outcomeOf, watchedProgress } from './miniature.js';

const trial = 'species-esta-seed0';

/** Runs until `isTime`, then aborts as Ctrl-C does; the run must say that it was interrupted. */
async function interrupt(
  mini: Miniature,
  experiment: Experiment,
  folder: string,
  isTime: (label: string, done: number) => boolean,
): Promise<void> {
  const controller = new AbortController();
  const progress = watchedProgress((label, done) => {
    if (isTime(label, done)) controller.abort();
  });
  await assert.rejects(mini.run(experiment, folder, { progress, signal: controller.signal }), Interrupted);
}

test('stopped in the middle of an epoch and resumed equals never stopped', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment();
  await mini.run(experiment, 'whole');
  await interrupt(mini, experiment, 'stopped', (label, done) => label.includes('stitched at') && done === 2);
  await interrupt(mini, experiment, 'stopped', (label, done) => label.includes('stitched at') && done === 4);
  await interrupt(mini, experiment, 'stopped', (label) => label.includes('testing'));
  const [result] = await mini.run(experiment, 'stopped');
  assert.equal(result!.status, 'finished');
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), trial);
  assert.deepEqual(await outcome('stopped'), await outcome('whole'));
});

test('stopped within the grid and resumed equals never stopped', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ training: { epochs: 1, base_learning_rates: [0.05, 0.1] } });
  await mini.run(experiment, 'whole');
  await interrupt(mini, experiment, 'stopped', (label, done) => label.includes('rate 0.05') && done === 2);
  await interrupt(mini, experiment, 'stopped', (label) => label.includes('validating'));
  await interrupt(mini, experiment, 'stopped', (label, done) => label.includes('grid of') && done === 1);
  await mini.run(experiment, 'stopped');
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), trial);
  assert.deepEqual(await outcome('stopped'), await outcome('whole'));
});
