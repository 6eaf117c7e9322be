/** An interrupted run ends with the numbers of an uninterrupted one, bit for bit. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Experiment } from '../../src/config/schema/experiment.js';
import { Interrupted } from '../../src/shared/errors.js';
import { type Miniature, miniature, outcomeOf, readLines, watchedProgress } from './miniature.js';

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

test('with two stitches a step: resumed equals never stopped, and every step trains two besides the teacher', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ sampling: { bins: 2, warmup_epochs: 1, stitches_per_step: 2 } });
  await mini.run(experiment, 'whole');
  await interrupt(mini, experiment, 'stopped', (label, done) => label.includes('stitched at') && done === 1);
  await interrupt(mini, experiment, 'stopped', (label, done) => label.includes('stitched at') && done === 5);
  await mini.run(experiment, 'stopped');
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), trial);
  assert.deepEqual(await outcome('stopped'), await outcome('whole'));

  const journal = (file: string) => readLines(path.join(mini.folder, 'whole', 'trials', trial, file));
  // Two species of six images in batches of four: three steps an epoch, counted by batches. Stitch 1 is the largest anchor.
  const metrics = await journal('metrics.jsonl');
  assert.deepEqual(
    metrics.map(({ step }) => step),
    [3, 6],
  );
  const trained = new Set<number>();
  for (const { draws, scores } of (await journal('importance.jsonl')) as { draws: number[]; scores: unknown[] }[]) {
    assert.equal(
      draws.reduce((sum, count) => sum + count, 0),
      2 * 3,
    );
    assert.equal(draws[1], 0);
    assert.ok(Math.max(...draws) <= 3);
    for (const [id, count] of draws.entries()) if (count > 0) trained.add(id);
    assert.deepEqual(
      scores.flatMap((score, id) => (score === null ? [] : [id])),
      [...trained].sort((a, b) => a - b),
    );
  }
});

test('tests on the way are noted once, whenever the run was stopped, and change nothing', async (t) => {
  const mini = await miniature(t);
  const training = { epochs: 3 };
  const experiment = mini.experiment({ training, evaluation: { test_at: [0.3, 0.67, 0.7, 0.01] } });
  const [unwatched] = await mini.run(mini.experiment({ training }), 'unwatched');
  const [whole] = await mini.run(experiment, 'whole');
  assert.deepEqual(whole!.stitches, unwatched!.stitches);
  // 0.3 and 0.67 of three epochs; what rounds to none, or to one that is there already, is left out.
  const tests = (folder: string) => readLines(path.join(mini.folder, folder, 'trials', trial, 'tests.jsonl'));
  const lines = await tests('whole');
  assert.deepEqual(
    lines.map(({ stage, epoch, stitches }) => [stage, epoch, (stitches as unknown[]).length]),
    [
      ['stitched', 1, 3],
      ['stitched', 2, 3],
    ],
  );
  await interrupt(mini, experiment, 'stopped', (label) => label.includes('testing after epoch 1'));
  await interrupt(mini, experiment, 'stopped', (label, done) => label.includes('stitched at') && done === 6);
  await mini.run(experiment, 'stopped');
  assert.deepEqual(await tests('stopped'), lines);
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
