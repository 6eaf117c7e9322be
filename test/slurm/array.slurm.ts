/**
 * Arrays on a real Slurm, disturbed in every way that clusters disturb jobs, end with the numbers of one process. Run by
 * `npm run test:slurm`; takes minutes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Listing } from '../../src/experiment/items/listing.js';
import type { ClusterStatus } from '../../src/experiment/slurm/status.js';
import { executable } from '../command-line.js';
import { miniature, outcomeOf } from '../experiment/miniature.js';
import { type Cluster, startCluster, whyNoSlurm } from './cluster.js';

const execute = promisify(execFile);
const reason = whyNoSlurm();

/** Polls until it is true; a cluster takes its time. */
async function until(what: string, isTrue: () => Promise<boolean>, minutes = 15): Promise<void> {
  const end = Date.now() + minutes * 60_000;
  while (!(await isTrue())) {
    assert.ok(Date.now() < end, `still not: ${what}`);
    await setTimeout(500);
  }
}

interface Run {
  readonly cluster: Cluster;
  esta(...args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }>;
  status(): Promise<ClusterStatus>;
  log(task: string): Promise<string>;
  /** A task that trains now, and has not been disturbed before. */
  training(disturbed: ReadonlySet<string>): Promise<string>;
  isQueueEmpty(): Promise<boolean>;
}

async function submittedRun(t: TestContext, cluster: Cluster, file: string, runFolder: string): Promise<Run> {
  const esta: Run['esta'] = async (...args) => {
    const options = { env: cluster.environment, cwd: path.dirname(file), maxBuffer: 2 ** 26 };
    return execute(
      process.execPath,
      [executable, 'run', file, ...(args.includes('--out') ? [] : ['--out', runFolder]), ...args],
      options,
    ).then(
      ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ status: code, stdout, stderr }),
    );
  };
  const status = async () => JSON.parse((await esta('--status', '--json')).stdout) as ClusterStatus;
  const log = async (task: string) => readFile(path.join(runFolder, 'slurm', `${task}.log`), 'utf8').catch(() => '');
  return {
    ...{ cluster, esta, status, log },
    async training(disturbed) {
      let found = '';
      await until('a task trains', async () => {
        for (const { job, state, job_state } of (await status()).items) {
          if (!job || disturbed.has(job) || state !== 'running' || job_state !== 'RUNNING') continue;
          if (/stitching layers: /.test(await log(job))) found = job;
        }
        return found !== '';
      });
      t.diagnostic(`disturbed: ${found}`);
      return found;
    },
    isQueueEmpty: async () => (await cluster.slurm('squeue', '-h', '-r')).trim() === '',
  };
}

/** A warning, a requeue, a preemption, a node that is down, a kill: each of a task that trains. */
async function disturb(run: Run, runFolder: string): Promise<void> {
  const { cluster } = run;
  // The warning before the time limit.
  const disturbed = new Set<string>();
  const next = async () => {
    const task = await run.training(disturbed);
    disturbed.add(task);
    return task;
  };
  const warned = await next();
  await cluster.slurm('scancel', '--signal=USR2', '--batch', warned);
  await until('the task is queued again', async () => /REQUEUE|everything is saved/.test(await run.log(warned)));
  await until('requeue is noted', async () =>
    (await readdir(path.join(runFolder, 'slurm'))).includes(`${warned}.requeues`),
  );

  // Requeued by hand; preempted; its node down.
  await cluster.slurm('scontrol', 'requeue', await next());
  await next();
  await cluster.slurm('sbatch', '--partition=urgent', '--exclusive', '--output=/dev/null', '--wrap=sleep 5');
  await setTimeout(5000);
  await run.training(new Set());
  const host = (await cluster.slurm('sinfo', '-h', '-o', '%n')).trim().split('\n')[0]!;
  await cluster.slurm('scontrol', 'update', `nodename=${host}`, 'state=down', 'reason=test');
  await setTimeout(3000);
  // The node may have come back by itself.
  await cluster.slurm('scontrol', 'update', `nodename=${host}`, 'state=resume').catch(() => '');

  // A process is killed outright: its job fails, and what waits for it ends.
  await run.training(new Set());
  const listing = JSON.parse((await run.esta('--list', '--json')).stdout) as Listing;
  const holder = listing.items.find(({ holder }) => holder)?.holder;
  if (holder) process.kill(Number(/process (\d+)/.exec(holder)![1]), 'SIGKILL');
}

test('an array with warnings, requeues, preemption, a node down and kills equals one process', {
  skip: reason,
}, async (t) => {
  const cluster = await startCluster(3);
  t.after(() => cluster.stop());
  const mini = await miniature(t);
  const drawn = (name: string, seed: number) => ({
    ...{ kind: 'species', name, classes: 2, train_images: 6, validation_images: 2, test_images: 6, seed },
  });
  const changes = {
    data: [drawn('one', 0), drawn('two', 1)],
    // Long enough that each training meets what is done to it, on a fast machine too: about half a minute.
    training: { epochs: 400, base_learning_rates: [0.05, 0.1] },
  };
  const file = await mini.write({ ...changes, launcher: { partition: 'nope', warning_seconds: 30 } });
  const runFolder = path.join(mini.folder, 'slurm-run');
  const run = await submittedRun(t, cluster, file, runFolder);

  // 1. A wrong directive.
  const refused = await run.esta('--launcher', 'slurm');
  assert.equal(refused.status, 2);
  assert.match(
    refused.stderr,
    /sbatch refused the job: .*invalid partition[\s\S]*\n {2}launcher\.partition: --partition=nope\n/,
  );

  // 2. Four rates are more than one array may have here.
  await mini.write({ ...changes, launcher: { time: '60', warning_seconds: 30 } });
  const submitted = await run.esta('--launcher', 'slurm', '--json');
  const arrays = (JSON.parse(submitted.stdout) as { submitted: { job: string; items: string[][] }[] }).submitted;
  assert.deepEqual(
    arrays.map(({ items }) => items.length),
    [3, 1, 1, 1, 1],
  );
  assert.equal(
    (JSON.parse((await run.esta('--launcher', 'slurm', '--json')).stdout) as { submitted: [] }).submitted.length,
    0,
    'all is in the queue',
  );

  // 3. Everything that happens to jobs.
  await disturb(run, runFolder);
  await until('the queue is empty', run.isQueueEmpty);

  // 4. The same command submits what is left.
  const isDone = async () => (await run.status()).items.every(({ state }) => state === 'finished');
  for (let tries = 0; tries < 3 && !(await isDone()); tries++) {
    const again = await run.esta('--launcher', 'slurm');
    t.diagnostic(again.stdout.trim());
    await until('the queue is empty', run.isQueueEmpty);
  }
  assert.ok(await isDone(), JSON.stringify(await run.status(), null, 1));
  assert.ok((await readdir(runFolder)).includes('report.html'));

  // 5. One process, of as many threads.
  const whole = path.join(mini.folder, 'whole');
  const one = await run.esta('--out', whole, '--threads', '1');
  assert.equal(one.status, 0, one.stderr);
  for (const trial of ['one-esta-seed0', 'two-esta-seed0']) {
    assert.deepEqual(await outcomeOf(runFolder, trial), await outcomeOf(whole, trial));
  }
  const logs = (
    await Promise.all(
      (
        await readdir(path.join(runFolder, 'slurm'))
      )
        .filter((name) => name.endsWith('.log'))
        .map((name) => readFile(path.join(runFolder, 'slurm', name), 'utf8')),
    )
  ).join('');
  t.diagnostic(`${logs.match(/everything is saved|what was trained is saved/g)?.length ?? 0} times stopped and saved`);
});
