/** `--dry-run` refuses what the run refuses, and knows what is finished. */
import assert from 'node:assert/strict';
import { access, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { isGpuPlausible } from '../../src/engine/doctor/gpu-presence.js';
import { esta } from '../command-line.js';
import { miniature } from './miniature.js';

test('what the run refuses before it trains, the dry run refuses with the same words', {
  skip: isGpuPlausible() && 'a GPU that may be used',
}, async (t) => {
  const mini = await miniature(t);
  const file = await mini.write();
  const out = path.join(mini.folder, 'run');
  const cases: [string[], RegExp][] = [
    [['--device', 'cuda'], /no NVIDIA driver/],
    [['--engine', 'nvidia'], /no NVIDIA driver/],
    [['--engine', 'nvidia', '--device', 'cpu'], /the nvidia engine has no cpu device/],
    [['--jobs', '0'], /--jobs 0: a number of processes from 1, or auto/],
    [['--reuse', `${mini.folder}/nowhere`], /--reuse: .*nowhere does not exist/],
    [['--set', 'training.precision=mixed'], /mixed is not what onnxruntime computes in on the cpu/],
    [['--set', 'training.precision=tf32', '--device', 'cpu'], /tf32 is not what onnxruntime computes in on the cpu/],
  ];
  for (const [flags, expected] of cases) {
    const dry = await esta(['run', file, '--out', out, ...flags, '--dry-run']);
    assert.match(dry.stderr, expected);
    assert.deepEqual([dry.status, dry.stdout], [2, '']);
    const real = await esta(['run', file, '--out', out, ...flags]);
    assert.deepEqual([real.status, real.stderr], [2, dry.stderr]);
    await rm(out, { recursive: true, force: true });
  }
  const { status } = await esta(['run', file, '--out', out, '--device', 'cpu', '--dry-run']);
  assert.equal(status, 0);
  await assert.rejects(access(out), 'nothing is written');
});

test('what is finished is said so, and needs neither its data nor what would be reused any more', async (t) => {
  const mini = await miniature(t);
  await mini.run(mini.experiment({ training: { epochs: 1 } }), 'run');
  const file = await mini.write({ training: { epochs: 1 }, seeds: [0, 1] });
  const dry = (...flags: string[]) =>
    esta(['run', file, '--out', path.join(mini.folder, 'run'), '--dry-run', ...flags]);
  const { status, stdout } = await dry();
  assert.match(stdout, /\n {2}species-esta-seed0: finished before\n {2}species-esta-seed1: 1 epoch/);
  assert.equal(status, 0);
  const plan = JSON.parse((await dry('--json')).stdout) as { trials: { status: string }[] };
  assert.deepEqual(
    plan.trials.map((trial) => trial.status),
    ['finished', 'planned'],
  );
  const reused = ['--reuse', `${mini.folder}/nowhere`];
  assert.equal((await dry(...reused)).status, 2);
  assert.equal((await dry(...reused, '--set', 'seeds=[0]')).status, 0);
});
