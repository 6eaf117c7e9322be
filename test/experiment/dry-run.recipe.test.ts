/** `--dry-run` refuses what the run refuses, and knows what is finished. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { isGpuPlausible } from '../../src/engine/doctor/gpu-presence.js';
import { type DryRunOptions, dryRun } from '../../src/experiment/dry-run.js';
import { formatPlan } from '../../src/experiment/plan.js';
import { esta } from '../command-line.js';
import { miniature } from './miniature.js';

const skip = isGpuPlausible() && 'a GPU that may be used';

test('what the run refuses before it trains, the dry run refuses', { skip }, async (t) => {
  const mini = await miniature(t);
  const start = { runFolder: path.join(mini.folder, 'run'), variants: [], reuse: [], engine: 'auto' } as const;
  const mixed = mini.experiment({ training: { precision: 'mixed' } });
  const cases: [Partial<DryRunOptions>, RegExp, typeof mixed?][] = [
    [{ device: 'cuda' }, /no NVIDIA driver/],
    [{ engine: 'nvidia' }, /no NVIDIA driver/],
    [{ engine: 'nvidia', device: 'cpu' }, /the nvidia engine has no cpu device/],
    [{ jobs: '0' }, /--jobs 0: a number of processes from 1, or auto/],
    [{ reuse: [`${mini.folder}/nowhere`] }, /--reuse: .*nowhere does not exist/],
    [{}, /mixed is not what onnxruntime computes in on the cpu/, mixed],
    [{ device: 'cpu' }, /mixed is not what onnxruntime computes in on the cpu/, mixed],
  ];
  for (const [options, message, experiment = mini.experiment()] of cases) {
    await assert.rejects(dryRun(experiment, { ...start, ...options }), { name: 'RequestError', message });
  }
  assert.equal((await dryRun(mini.experiment(), { ...start, device: 'cpu' })).exitStatus, 0);
  await assert.rejects(access(start.runFolder), 'nothing is written');
});

test('in the same words', { skip }, async (t) => {
  const mini = await miniature(t);
  const args = ['run', await mini.write(), '--out', path.join(mini.folder, 'run'), '--device', 'cuda'];
  const [dry, real] = await Promise.all([esta([...args, '--dry-run']), esta(args)]);
  assert.deepEqual([dry.status, dry.stdout, dry.stderr], [2, '', real.stderr]);
  assert.equal(real.status, 2);
});

test('what is finished is said so, and needs neither its data nor what would be reused any more', async (t) => {
  const mini = await miniature(t);
  await mini.run(mini.experiment({ training: { epochs: 1 } }), 'run');
  const dry = (seeds: readonly number[], reuse: readonly string[] = []) =>
    dryRun(mini.experiment({ training: { epochs: 1 }, seeds }), {
      ...{ runFolder: path.join(mini.folder, 'run'), variants: [], engine: 'onnxruntime', reuse },
    });
  const { plan, exitStatus } = await dry([0, 1]);
  assert.match(formatPlan(plan), /\n {2}species-esta-seed0: finished before\n {2}species-esta-seed1: 1 epoch/);
  assert.deepEqual([exitStatus, ...plan.trials.map(({ status }) => status)], [0, 'finished', 'planned']);
  const nowhere = [`${mini.folder}/nowhere`];
  await assert.rejects(dry([0, 1], nowhere), { name: 'RequestError' });
  assert.equal((await dry([0], nowhere)).exitStatus, 0);
});
