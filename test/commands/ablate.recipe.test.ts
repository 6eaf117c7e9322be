/** `esta ablate`, as a user runs it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { esta, projectRoot } from '../command-line.js';
import { miniature } from '../experiment/miniature.js';

test('--dry-run lists the trials of the default experiment', async () => {
  const { status, stdout } = await esta(['ablate', 'eta', '--dry-run', '--json']);
  assert.equal(status, 0);
  const plan = JSON.parse(stdout);
  assert.equal(plan.run, path.join(projectRoot, 'runs', 'quickstart-ablate-eta'));
  assert.deepEqual(
    plan.trials.slice(0, 4).map(({ name, variant, seed }: Record<string, unknown>) => [name, variant, seed]),
    [
      ['species-esta-eta-0.8-seed0', 'eta 0.8', 0],
      ['species-esta-eta-0.8-seed1', 'eta 0.8', 1],
      ['species-esta-eta-0.8-seed2', 'eta 0.8', 2],
      ['species-esta-eta-0.9-seed0', 'eta 0.9', 0],
    ],
  );
});

test('an unknown study is refused with the known ones', async () => {
  const { status, stderr } = await esta(['ablate', 'etta']);
  assert.equal(status, 2);
  assert.match(stderr, /eta, distillation, adapt-then-stitch, lora, sampling/);
});

test('a setting that the study would replace is refused', async () => {
  const { status, stdout, stderr } = await esta(['ablate', 'eta', '--set', 'sampling.eta=0.5', '--dry-run']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /--set sampling\.eta=0\.5: .* the study eta sets sampling\.eta itself, to 0\.8, 0\.9, 0\.99/);
});

test('a study with two seeds ends in a table with mean and deviation, and says how to repeat it', async (t) => {
  const mini = await miniature(t);
  const file = await mini.write({ training: { epochs: 1 } });
  const out = path.join(mini.folder, 'study');
  const args = ['ablate', 'distillation', '--experiment', file, '--seeds', '2', '--out', out];
  const { status, stdout, stderr } = await esta([...args, '--engine', 'onnxruntime']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Methods at matched FLOPs/);
  assert.match(stdout, /with distillation +2 .*\d\d\.\d\d ± \d/);
  assert.match(stdout, /without distillation +2 .*\d\d\.\d\d ± \d/);
  assert.match(stdout, /Trainable parameters/);
  assert.doesNotMatch(stdout, /do not average/);
  const { command } = JSON.parse(await readFile(path.join(out, 'environment.json'), 'utf8'));
  assert.equal(command, ['esta', ...args, '--engine', 'onnxruntime'].join(' '));
  const again = await esta([...args, '--engine', 'onnxruntime', '--json']);
  assert.match(again.stderr, /(finished before\n.*){4}/s);
  const trials = JSON.parse(again.stdout).trials as { variant: string; seed: number; status: string }[];
  assert.deepEqual(
    trials.map(({ variant, seed, status: state }) => `${variant} ${seed} ${state}`),
    ['with distillation 0', 'with distillation 1', 'without distillation 0', 'without distillation 1'].map(
      (name) => `${name} finished`,
    ),
  );
});

test('a study is divided among processes, or run item by item, to the same numbers', async (t) => {
  const mini = await miniature(t);
  const file = await mini.write({ training: { epochs: 1 } });
  const study = (out: string, ...more: string[]) =>
    esta([
      ...['ablate', 'distillation', '--experiment', file, '--seeds', '1', '--out', path.join(mini.folder, out)],
      ...['--engine', 'onnxruntime', '--threads', '1', '--json', ...more],
    ]);
  const numbersOf = async (out: string, ...more: string[]) => {
    const { status, stdout, stderr } = await study(out, ...more);
    assert.equal(status, 0, stderr);
    const trials = JSON.parse(stdout).trials as { variant: string; stitches: { id: number; accuracy: number }[] }[];
    return trials.map(({ variant, stitches }) => [variant, stitches.map(({ id, accuracy }) => [id, accuracy])]);
  };
  const divided = await numbersOf('divided', '--jobs', '2');

  const { items } = JSON.parse((await study('single', '--list')).stdout) as { items: { id: string; state: string }[] };
  assert.ok(items.every(({ state }) => state !== 'finished'));
  const only = items.flatMap(({ id }) => ['--only', id]);
  const { status, stderr } = await study('single', ...only);
  assert.equal(status, 0, stderr);
  assert.deepEqual(await numbersOf('single'), divided);
  // The command that is recorded goes on with the whole study.
  const environment = await readFile(path.join(mini.folder, 'single', 'environment.json'), 'utf8');
  const recorded = JSON.parse(environment) as { command: string };
  assert.match(recorded.command, /ablate distillation /);
  assert.doesNotMatch(recorded.command, /--only/);
});
