/**
 * Two processes on one run folder, killed and stopped at random points, lose nothing, do nothing twice, and end with the
 * numbers of one that was left alone. ESTA_FAULTS=200 sets the number of faults.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { Random } from '../../../src/shared/random.js';
import { type Miniature, miniature, outcomeOf, readLines } from '../miniature.js';

const faults = Number(process.env['ESTA_FAULTS'] ?? 3);
const program = fileURLToPath(new URL('./worker.js', import.meta.url));
const heartbeat = { ESTA_HEARTBEAT_SECONDS: '0.3', ESTA_STALE_SECONDS: '2' };
const seeds = [0, 1];
const trials = seeds.map((seed) => `species-esta-seed${seed}`);

interface Worker {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  hasBegun(): boolean;
  output(): string;
}

function start(args: readonly string[]): Worker {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...heartbeat },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  return { child, ended: once(child, 'exit'), hasBegun: () => output.includes('begin'), output: () => output };
}

const isAlive = ({ child }: Worker) => child.exitCode === null && child.signalCode === null;

/** What a kill within a write leaves: half a line at the end of every journal of a trial that is not finished. */
function tear(runFolder: string): number {
  const isFinished = (name: string) => trials.some((trial) => name.includes(trial) && hasResult(runFolder, trial));
  const names = readdirSync(runFolder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.jsonl') && !isFinished(name),
  );
  for (const name of names) appendFileSync(path.join(runFolder, name), '{"stage":"stitched","epo');
  return names.length;
}

function hasResult(runFolder: string, trial: string): boolean {
  return existsSync(path.join(runFolder, 'trials', trial, 'result.json'));
}

/** Starts two processes, and does something bad to one of them again and again until they are done. @returns the faults */
async function disturbedRun(args: readonly string[], runFolder: string, random: Random, most: number) {
  const counts = { kills: 0, stops: 0, torn: 0, lost: 0 };
  const workers = [start(args), start(args)];
  const restart = (index: number) => {
    counts.lost += workers[index]!.output().match(/was taken over by/g)?.length ?? 0;
    workers[index] = start(args);
  };
  while (workers.some(isAlive)) {
    const index = random.integer(2);
    const worker = workers[index]!;
    const delay = random.uniform() * 1500;
    if (counts.kills + counts.stops >= most || !worker.hasBegun() || !isAlive(worker)) {
      await Promise.race([setTimeout(100), Promise.all(workers.map(({ ended }) => ended))]);
      continue;
    }
    await setTimeout(delay);
    const kind = random.uniform();
    if (kind < 0.2) {
      worker.child.kill('SIGSTOP');
      await setTimeout(3000);
      worker.child.kill('SIGCONT');
      counts.stops++;
    } else if (kind < 0.4) {
      for (const { child } of workers) child.kill('SIGKILL');
      await Promise.all(workers.map(({ ended }) => ended));
      counts.torn += tear(runFolder);
      counts.kills += 2;
      for (const each of [0, 1]) restart(each);
    } else {
      worker.child.kill('SIGKILL');
      await worker.ended;
      counts.kills++;
      restart(index);
    }
  }
  for (const worker of workers) {
    counts.lost += worker.output().match(/was taken over by/g)?.length ?? 0;
    assert.equal(worker.child.exitCode, 0, worker.output());
  }
  return counts;
}

async function assertOnce(runFolder: string, trial: string): Promise<void> {
  for (const name of ['metrics.jsonl', 'importance.jsonl', 'grid.jsonl']) {
    const lines = await readLines(path.join(runFolder, 'trials', trial, name));
    const keys = lines.map(({ stage, epoch, base_rate }) => JSON.stringify([stage, epoch, base_rate]));
    assert.deepEqual(keys, [...new Set(keys)], name);
  }
}

async function prepared(mini: Miniature) {
  const training = { epochs: 2, base_learning_rates: [0.05, 0.1], checkpoint_minutes: 1e-6 };
  const experiment = mini.experiment({ seeds, training });
  const engine = await createOnnxEngine({ threads: 1 });
  await mini.run(experiment, 'whole', { engine });
  await engine.dispose();
  const file = path.join(mini.folder, 'experiment.json');
  writeFileSync(file, JSON.stringify(experiment));
  return { experiment, file };
}

test(`${faults} kills and stops of two processes: the numbers of one that was left alone`, async (t) => {
  const mini = await miniature(t);
  const { file } = await prepared(mini);
  const random = Random.of(Number(process.env['ESTA_FAULTS_SEED'] ?? 0), 'faults');
  const total = { kills: 0, stops: 0, torn: 0, lost: 0, runs: 0 };
  while (total.kills + total.stops < faults) {
    const runFolder = path.join(mini.folder, `disturbed${total.runs}`);
    await mkdir(runFolder);
    const left = faults - total.kills - total.stops;
    const counts = await disturbedRun([file, runFolder, mini.cacheFolder], runFolder, random, left);
    for (const [name, count] of Object.entries(counts)) total[name as keyof typeof counts] += count;
    total.runs++;
    for (const trial of trials) {
      assert.deepEqual(await outcomeOf(runFolder, trial), await outcomeOf(path.join(mini.folder, 'whole'), trial));
      await assertOnce(runFolder, trial);
    }
    // Half-written locks, and files of the run folder itself, are swept by a later start: others may be at them.
    const names = (await readdir(path.join(runFolder, 'trials'), { recursive: true })).filter(
      (name) => /\.tmp$|checkpoint|-grid-/.test(name) && !/\block\.\w+\.tmp$/.test(name),
    );
    assert.deepEqual(names, [], 'nothing is left behind');
    await rm(runFolder, { recursive: true });
  }
  t.diagnostic(JSON.stringify(total));
});

test('a file that cannot be read fails the trial in words; without it the run goes on', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ training: { epochs: 1 } });
  const [trial] = trials as [string];
  await mini.run(experiment, 'whole');
  const file = path.join(mini.folder, 'run', 'trials', trial, 'metrics.jsonl');
  await mkdir(path.dirname(file), { recursive: true });
  // Reading the start of a process's memory is an input/output error, as of a disk with a bad block.
  await symlink('/proc/self/mem', file);
  const [failed] = await mini.run(experiment, 'run');
  assert.match(failed!.error!, /metrics\.jsonl cannot be read: input\/output error \(EIO\)$/);
  await rm(file);
  await mini.run(experiment, 'run');
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), trial);
  assert.deepEqual(await outcome('run'), await outcome('whole'));
});
