/** Several processes on one run folder, as `esta run --jobs` starts them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { itemsOfPlan } from '../../../src/experiment/items/item.js';
import type { JobsDisplay } from '../../../src/experiment/jobs/display.js';
import { endedTrials } from '../../../src/experiment/jobs/ended-trials.js';
import { runJobs } from '../../../src/experiment/jobs/run-jobs.js';
import { planOf } from '../../../src/experiment/plan.js';
import { Interrupted } from '../../../src/shared/errors.js';
import { miniature, outcomeOf } from '../miniature.js';

/** Processes of this one that run workers; needs /proc. */
function workers(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const isWorker = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('jobs/worker.js');
    } catch {
      return false; // it has just ended
    }
  };
  return children.filter(isWorker).map(Number);
}

const noProcesses = existsSync('/proc/self/task') ? false : 'needs /proc';

test('two processes, one killed and all stopped on the way, equal one; a failure stops no other trial', {
  skip: noProcesses,
}, async (t) => {
  const mini = await miniature(t);
  const base = mini.experiment({ training: { epochs: 1, base_learning_rates: [0.05, 0.1] } });
  const failing = { ...base, training: { ...base.training, base_learning_rates: [1e30] } };
  const variants = [
    { name: 'good', experiment: base },
    { name: 'bad', experiment: failing },
  ];
  await mini.run(base, 'whole', { variants });
  const runFolder = path.join(mini.folder, 'jobs');
  const items = itemsOfPlan(await planOf(base, runFolder, variants));
  const place = { threads: availableParallelism() };
  const lines: string[] = [];
  const perform = (signal: AbortSignal, onProgress: JobsDisplay['at'] = () => {}) =>
    runJobs({
      assignment: {
        ...{ experiment: base, variants, runFolder, cacheFolder: mini.cacheFolder, reuse: [], engine: 'onnxruntime' },
        command: 'esta run',
      },
      ...{ items, places: [place, place], signal },
      display: { trials() {}, stop() {}, at: onProgress, line: (text) => lines.push(text) },
    });
  const controller = new AbortController();
  let kills = 0;
  const disturbed = perform(controller.signal, (_, position) => {
    if (!position?.label.includes('grid of')) return;
    if (kills++ === 0) process.kill(workers()[0]!, 'SIGKILL');
    else if (lines.some((line) => line.includes('SIGKILL'))) controller.abort();
  });
  await assert.rejects(disturbed, Interrupted);
  assert.deepEqual(workers(), [], 'all have ended');
  lines.length = 0;
  const { failed, held } = await perform(new AbortController().signal);
  assert.deepEqual(held, []);
  assert.deepEqual([...failed.keys()], ['species-esta-bad-seed0']);
  const told = lines.filter((line) => line.includes('bad-seed0') && line.includes('failed'));
  assert.equal(told.length, 1, told.join('\n'));
  assert.match(told[0]!, /^species-esta-bad-seed0 failed: the (loss|saliency)/);
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), 'species-esta-good-seed0');
  assert.deepEqual(await outcome('jobs'), await outcome('whole'));
});

test('work whose process is killed again and again is given up, says so, and is a failed trial', {
  skip: noProcesses,
}, async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ training: { epochs: 1 } });
  const runFolder = path.join(mini.folder, 'jobs');
  const plan = await planOf(experiment, runFolder);
  const lines: string[] = [];
  const { failed, hasWorked } = await runJobs({
    assignment: {
      ...{ experiment, variants: [], runFolder, cacheFolder: mini.cacheFolder, reuse: [], engine: 'onnxruntime' },
      command: 'esta run',
    },
    ...{ items: itemsOfPlan(plan), places: [{ threads: 1 }], signal: new AbortController().signal },
    display: {
      ...{ trials() {}, stop() {}, line: (text: string) => void lines.push(text) },
      at: (_, position) => position && workers().forEach((pid) => void process.kill(pid, 'SIGKILL')),
    },
  });
  const trial = 'species-esta-seed0';
  assert.deepEqual(lines, [
    `${trial}: its process ended (SIGKILL); it goes on from its last checkpoint`,
    `${trial}: its process ended 2 times (SIGKILL); it goes on from its last checkpoint`,
    `${trial} failed: its process ended 3 times (SIGKILL)\nMemory may have run out: give a smaller --jobs. The same command goes on from the last checkpoint.`,
  ]);
  assert.equal(hasWorked, true);
  const [ended, ...others] = await endedTrials(runFolder, plan.trials, failed);
  assert.deepEqual([ended?.status, ended?.error, ended?.seed], ['failed', 'its process ended 3 times (SIGKILL)', 0]);
  assert.deepEqual(others, []);
});
