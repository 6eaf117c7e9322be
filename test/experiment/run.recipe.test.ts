/** Whole runs: what they repeat, refuse, record and leave behind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { TrialResult } from '../../src/run-folder/result.js';
import { Interrupted, RequestError } from '../../src/shared/errors.js';
import { programVersion } from '../../src/shared/program.js';
import { silentProgress } from '../../src/shared/progress.js';
import { miniature, outcomeOf, readLines, watchedProgress } from './miniature.js';

const trial = 'species-esta-seed0';

test('one seed gives one table; a finished trial is not run again; the run folder explains itself', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ training: { base_learning_rates: [0.05, 0.1], grid_epochs: 1 } });
  const [first] = await mini.run(experiment, 'first');
  await mini.run(experiment, 'second');
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), trial);
  assert.deepEqual(await outcome('first'), await outcome('second'));

  const lines: string[] = [];
  const again = await mini.run(experiment, 'first', {
    progress: { ...silentProgress, line: (text) => lines.push(text), start: () => assert.fail('nothing is computed') },
  });
  assert.deepEqual(again, [first]);
  assert.deepEqual(lines, [`${trial}: finished before`]);

  const folder = path.join(mini.folder, 'first', 'trials', trial);
  assert.deepEqual((await readdir(folder)).sort(), [
    'grid.jsonl',
    'identity.json',
    'importance.jsonl',
    'metrics.jsonl',
    'recipe.json',
    'result.json',
    'status.json',
    'trained.safetensors',
  ]);
  const [stage] = first!.stages!;
  assert.deepEqual(
    stage!.grid!.map(({ learningRate }) => learningRate),
    [0.05, 0.1],
  );
  assert.equal(stage!.name, 'stitched');
  // ranks 2 on 4 + 4 blocks of q, k, v; rank 2 on 3 layers; biases of 12 stitches; two heads of 2 classes.
  assert.equal(stage!.trainable.lowRank, 4 * 3 * 2 * 2 * (32 + 64));
  assert.equal(stage!.trainable.stitchingLayers, 3 * 2 * (32 + 64));
  assert.equal(stage!.trainable.heads, 2 * (32 + 1) + 2 * (64 + 1));
  assert.equal(first!.layerStartErrors!.length, 3);
  assert.ok(first!.stitches.filter(({ bin }) => bin !== undefined).length === 2 && first!.stitches.at(-1)!.id === 1);
  const environment = JSON.parse(await readFile(path.join(mini.folder, 'first', 'environment.json'), 'utf8'));
  const { version: esta, ...checkout } = await programVersion();
  assert.deepEqual({ ...environment, esta, ...checkout, node: process.version }, environment);
  const status = JSON.parse(await readFile(path.join(folder, 'status.json'), 'utf8'));
  assert.equal(status.state, 'finished');
  const importance = await readLines(path.join(folder, 'importance.jsonl'));
  assert.deepEqual(
    importance.map(({ stage, epoch }) => [stage, epoch]),
    [
      ['stitched-grid-0.05', 1],
      ['stitched-grid-0.1', 1],
      ['stitched', 1],
      ['stitched', 2],
    ],
  );
  for (const { draws } of importance)
    assert.equal(
      (draws as number[]).reduce((sum, count) => sum + count),
      3,
    );
});

test('a folder of another configuration is refused with the difference', async (t) => {
  const mini = await miniature(t);
  const aborted = AbortSignal.abort();
  const untrained = mini.experiment({ seeds: [4], training: { epochs: 5 } });
  await assert.rejects(mini.run(untrained, 'run', { signal: aborted }), Interrupted);
  // No step was trained, so that nothing is lost.
  const controller = new AbortController();
  const progress = watchedProgress((label, done) => label.includes('stitched at') && done === 1 && controller.abort());
  await assert.rejects(mini.run(mini.experiment(), 'run', { signal: controller.signal, progress }), Interrupted);
  assert.deepEqual(await readdir(path.join(mini.folder, 'run', 'trials')), [trial]);
  await assert.rejects(mini.run(mini.experiment({ training: { epochs: 3 } }), 'run'), (error) => {
    assert.ok(error instanceof RequestError);
    assert.match(error.message, /was trained in another way:[\s\S]*training\.epochs: there 2, now 3/);
    assert.match(error.hint!, /--out DIR/);
    return true;
  });
});

test('one process works on a trial; another is refused, or does what is left', async (t) => {
  const mini = await miniature(t);
  const training = { epochs: 1 };
  let other: Promise<unknown> | undefined;
  const progress = watchedProgress((label, done) => {
    if (label.includes('stitched at') && done === 1) {
      other ??= mini.run(mini.experiment({ training }), 'run').catch((error: unknown) => error);
    }
  });
  await mini.run(mini.experiment({ training }), 'run', { progress });
  const refused = await other;
  assert.ok(refused instanceof RequestError, String(refused));
  assert.match(
    refused.message,
    new RegExp(`^${trial} is being run by process ${process.pid} on this machine, since 20`),
  );

  // Two processes, one trial each, of an experiment that grows.
  const both = mini.experiment({ training, seeds: [1, 2] });
  let second: Promise<TrialResult[]> | undefined;
  const watched = watchedProgress((label) => {
    if (label.includes('seed1, stitched at')) second ??= mini.run(both, 'run');
  });
  const first = await mini.run(both, 'run', { progress: watched });
  const [mine, theirs] = [first, await second!].map((results) => results.map(({ seed }) => seed));
  assert.deepEqual([mine!.includes(1), theirs!.includes(1), theirs!.includes(2)], [true, false, true]);
  const files = await readdir(path.join(mini.folder, 'run', 'trials'), { recursive: true });
  assert.deepEqual(
    files.filter((name) => /lock|tmp/.test(name)),
    [],
  );
  const trials = files.filter((name) => name.endsWith('result.json'));
  assert.equal(trials.length, 3);
});

test('a trial that diverges is recorded and the others still run', async (t) => {
  const mini = await miniature(t);
  const base = mini.experiment({ training: { epochs: 1 } });
  const variants = [1e30, 0.1].map((rate) => {
    const training = { ...base.training, base_learning_rates: [rate] };
    return { name: `rate ${rate}`, experiment: { ...base, training } };
  });
  const results = await mini.run(base, 'run', { variants });
  assert.deepEqual(
    results.map(({ status, variant }) => [status, variant]),
    [
      ['failed', 'rate 1e+30'],
      ['finished', 'rate 0.1'],
    ],
  );
  const folder = path.join(mini.folder, 'run', 'trials', 'species-esta-rate-1e-30-seed0');
  for (const name of ['result.json', 'status.json']) {
    const { error } = JSON.parse(await readFile(path.join(folder, name), 'utf8'));
    assert.match(error, /^the (loss is NaN at step \d of 3|saliency of stitch \d+ is NaN)/);
  }
});

test('a trial of one step, which no later loss shows to have diverged, has failed', async (t) => {
  const mini = await miniature(t);
  const training = { epochs: 1, batch_size: 12, base_learning_rates: [1e30] };
  const [result] = await mini.run(mini.experiment({ methods: ['sn-net'], training }), 'run');
  assert.equal(result!.status, 'failed');
  assert.match(result!.error!, /^stitch \d+ answers with logits whose sum is (NaN|-?Infinity)$/);
});

test('a damaged checkpoint is refused with what to do', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment();
  const controller = new AbortController();
  const progress = watchedProgress((label) => label.includes('stitched at') && controller.abort());
  await assert.rejects(mini.run(experiment, 'run', { signal: controller.signal, progress }), Interrupted);
  const checkpoint = path.join(mini.folder, 'run', 'trials', trial, 'checkpoint-stitched.safetensors');
  const refused = (error: unknown) => {
    assert.ok(error instanceof RequestError);
    assert.match(error.message, /checkpoint of this training is damaged: .*checkpoint-stitched\.safetensors/);
    assert.match(error.hint!, /Delete .*checkpoint-stitched\.safetensors/);
    return true;
  };
  await truncate(checkpoint, 20_000);
  await assert.rejects(mini.run(experiment, 'run'), refused);
  await writeFile(checkpoint, 'no checkpoint at all');
  await assert.rejects(mini.run(experiment, 'run'), refused);
});

test('a full disk is reported and nothing that was written is lost', async (t) => {
  const mini = await miniature(t);
  const run = path.join(mini.folder, 'run');
  await mkdir(run);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=192k', 'none', run], { stdio: 'ignore' });
  } catch {
    t.skip('needs the right to mount a small disk');
    return;
  }
  try {
    const experiment = mini.experiment({ training: { checkpoint_minutes: 1e-6 } });
    const [failed] = await mini.run(experiment, 'run');
    assert.match(failed!.error!, /no space left on the device while writing .*checkpoint-stitched\.safetensors/);
    assert.deepEqual(
      (await readdir(path.join(run, 'trials', trial))).filter((name) => name.endsWith('.tmp')),
      [],
    );
    execFileSync('mount', ['-o', 'remount,size=64m', run]);
    const [finished] = await mini.run(experiment, 'run');
    assert.equal(finished!.status, 'finished');
  } finally {
    execFileSync('umount', [run]);
  }
});
