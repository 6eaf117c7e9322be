/** `esta run` below its flags: what each way to run says, returns and ends with. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Experiment } from '../../src/config/schema/experiment.js';
import { type PerformOptions, performExperiment, performItems, performJobs } from '../../src/experiment/perform.js';
import { claimFolder, type Lock } from '../../src/run-folder/lock.js';
import { RequestError } from '../../src/shared/errors.js';
import { miniature } from './miniature.js';

interface Setting {
  readonly experiment: Experiment;
  readonly options: PerformOptions;
  readonly trials: string;
}

async function setting(t: TestContext, training: object): Promise<Setting> {
  const mini = await miniature(t);
  const cache = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = mini.folder;
  t.after(() => {
    if (cache === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = cache;
  });
  const runFolder = path.join(mini.folder, 'run');
  const command = ['run', 'some file.yaml'];
  return {
    experiment: mini.experiment({ training: { epochs: 1, ...training } }),
    options: { runFolder, engine: 'onnxruntime', device: 'cpu', threads: 1, command },
    trials: path.join(runFolder, 'trials'),
  };
}

const trial = 'species-esta-seed0';

test('items: what waits is refused unless others run; then they run in the order named, and the trial ends as a whole one', async (t) => {
  const { experiment, options, trials } = await setting(t, { base_learning_rates: [0.05, 0.1] });
  const [low, high] = [`${trial}/stitched-grid-0.05`, `${trial}/stitched-grid-0.1`];
  await assert.rejects(
    performItems(experiment, options, [`${trial}/stitched`], false),
    (error) =>
      error instanceof RequestError &&
      error.message === `${trial}/stitched waits for ${low}, ${high}` &&
      error.hint === 'Run those first, or add --wait.',
  );
  await assert.rejects(access(options.runFolder), 'nothing is written that a report would list');
  const some = await performItems(experiment, options, ['1', `${trial}/stitched`], false);
  assert.deepEqual(some.document, {
    run: options.runFolder,
    items: [
      { id: high, state: 'finished' },
      { id: `${trial}/stitched`, state: 'waiting', waitsFor: [low] },
    ],
  });
  assert.deepEqual([some.text, some.exitStatus], [`${high}: finished\n${trial}/stitched waits for ${low}`, 1]);

  // Somebody else is at the last rate for a while: with --wait it is taken when they are done.
  const other = (await claimFolder(path.join(trials, trial, 'stitched-grid-0.05'))) as Lock;
  const waiting = performItems(experiment, options, [low, trial], true);
  await setTimeout(500);
  await other.release();
  const rest = await waiting;
  assert.deepEqual([rest.text, rest.exitStatus], [`${low}: finished\n${trial}: finished`, 0]);

  const { text, exitStatus, document } = await performExperiment(experiment, options);
  assert.equal(exitStatus, 0);
  assert.equal(document.run, options.runFolder);
  assert.deepEqual(
    document.trials.map(({ status, seed, stages }) => [status, seed, stages![0]!.grid!.length]),
    [['finished', 0, 2]],
  );
  assert.match(text, /A page with the curve to explore:\n.*report .*run.* --out .*report\.html/);
  // Nothing is left for other processes to do: they say the same.
  const jobs = await performJobs(experiment, options, '1');
  assert.deepEqual([jobs.text, jobs.exitStatus, jobs.document], [text, 0, document]);
});

test('a failed trial is the exit status, one by one or together', async (t) => {
  const { experiment, options } = await setting(t, { base_learning_rates: [1e30] });
  const items = await performItems(experiment, options, ['0', '1'], true);
  assert.equal(items.exitStatus, 1);
  assert.match(items.text, /^species-esta-seed0\/stitched failed: the (loss|saliency) is NaN/);
  const { exitStatus, document } = await performExperiment(experiment, options);
  assert.deepEqual([exitStatus, document.trials.map(({ status }) => status)], [1, ['failed']]);
  const together = await performJobs(experiment, options, '1');
  assert.deepEqual([together.exitStatus, together.document], [1, document]);
});

test('--jobs names what another command is at; where that is all that is left, nothing was done', async (t) => {
  const { experiment, options, trials } = await setting(t, {});
  const two = { ...experiment, seeds: [0, 1] };
  const other = (await claimFolder(path.join(trials, 'species-esta-seed1'))) as Lock;
  t.after(() => other.release());
  const written = t.mock.method(process.stderr, 'write', () => true);
  const { exitStatus, document } = await performJobs(two, options, '1');
  const lines = written.mock.calls.map(({ arguments: [text] }) => String(text));
  written.mock.restore();
  assert.deepEqual([exitStatus, document.trials.map(({ seed }) => seed)], [0, [0]]);
  assert.match(lines.at(-1)!, /^species-esta-seed1 is being run by process \d+ on this machine, since .*\n$/);
  await assert.rejects(
    performJobs(two, options, '1'),
    (error) =>
      error instanceof RequestError &&
      /^species-esta-seed1 is being run by/.test(error.message) &&
      /^Nothing was done here\. Wait/.test(error.hint!),
  );
});
