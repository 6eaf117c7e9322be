/** `esta run` as a process: killed, interrupted, and given data that does not fit. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { esta, executable } from '../command-line.js';
import { type Miniature, miniature, outcomeOf } from '../experiment/miniature.js';

const trial = 'species-esta-seed0';

/** Starts `esta run` and sends `signal` as soon as `epochs` epochs are written down. */
async function runAndSignal(mini: Miniature, file: string, epochs: number, signal: 'SIGKILL' | 'SIGINT') {
  const args = [executable, 'run', file, '--out', path.join(mini.folder, 'stopped'), '--engine', 'onnxruntime'];
  const child = spawn(process.execPath, args, { env: { ...process.env, XDG_CACHE_HOME: mini.folder } });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ status: number | null; stderr: string }>((resolve) => {
    child.on('close', (status) => resolve({ status, stderr }));
  });
  const metrics = path.join(mini.folder, 'stopped', 'trials', trial, 'metrics.jsonl');
  const written = async () => (await readFile(metrics, 'utf8').catch(() => '')).split('\n').length - 1;
  while (child.exitCode === null && (await written()) < epochs) await wait(10);
  child.kill(signal);
  return ended;
}

test('a process stopped by Ctrl-C, and then one that is killed, lose nothing', async (t) => {
  const mini = await miniature(t);
  const changes = { training: { epochs: 3, checkpoint_minutes: 1e-6 } };
  const file = await mini.write(changes);
  const experiment = mini.experiment(changes);
  await mini.run(experiment, 'whole');

  const { status, stderr } = await runAndSignal(mini, file, 1, 'SIGINT');
  assert.equal(status, 130);
  assert.match(stderr, /^Error: stopped after step \d of 9 of .*; everything is saved\nRun the same command again/m);
  const killed = await runAndSignal(mini, file, 2, 'SIGKILL');
  assert.equal(killed.status, null, 'died of the signal');
  await mini.run(experiment, 'stopped');
  assert.deepEqual(
    await outcomeOf(path.join(mini.folder, 'stopped'), trial),
    await outcomeOf(path.join(mini.folder, 'whole'), trial),
  );
});

test('data and checkpoints that do not fit are refused with exit status 2 before anything is trained', async (t) => {
  const mini = await miniature(t);
  const root = path.join(mini.folder, 'images');
  const classFolder = (split: string, name: string) => path.join(root, split, name);
  for (const [split, name] of ['train', 'test'].flatMap((split) => ['a', 'b'].map((name) => [split, name] as const))) {
    await mkdir(classFolder(split, name), { recursive: true });
    const image = sharp({ create: { width: 64, height: 64, channels: 3, background: name === 'a' ? 'red' : 'blue' } });
    for (const index of [0, 1, 2]) await image.png().toFile(path.join(classFolder(split, name), `${index}.png`));
  }
  const file = await mini.write({ data: { kind: 'image-folder', root } });
  const refusal = async (...set: string[]) => {
    const out = path.join(mini.folder, 'refused');
    const { status, stderr } = await esta(['run', file, '--out', out, ...set.flatMap((text) => ['--set', text])]);
    assert.equal(status, 2, stderr);
    assert.doesNotMatch(stderr, /\n {4}at /, 'no stack');
    await rm(out, { recursive: true, force: true });
    return stderr;
  };

  const tiny = path.join(mini.folder, 'Ti.safetensors');
  assert.match(
    await refusal(`anchors.S.checkpoint=${tiny}`),
    /Ti\.safetensors[\s\S]*vit_mini_small|vit_mini_small[\s\S]*Ti\.safetensors/,
  );
  await mkdir(classFolder('test', 'c'));
  assert.match(await refusal(), /images.test has the classes 'c' that train\/ lacks/);
  await rm(classFolder('test', 'c'), { recursive: true });
  await mkdir(classFolder('train', 'c'));
  assert.match(await refusal(), /class folder .*train.c holds no images/);
});
