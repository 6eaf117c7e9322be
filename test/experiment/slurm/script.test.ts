/** The script of a job, run by bash, with programs in place of esta and scontrol that write down how they are called. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { launcherDefaults } from '../../../src/config/schema/launcher.js';
import { arrayScript, directivesOf, singleScript } from '../../../src/experiment/slurm/script.js';

const noBash = spawnSync('bash', ['--version']).status === 0 ? false : 'needs bash';

interface Job {
  readonly status: number;
  /** How scontrol was called. */
  readonly calls: readonly string[];
  readonly output: string;
}

/** @param program what esta does, in shell */
async function job(
  t: TestContext,
  program: string,
  {
    signal,
    state = 'RUNNING',
    most = 1,
    requeues = 0,
    setup = [],
  }: { signal?: NodeJS.Signals; state?: string; most?: number; requeues?: number; setup?: readonly string[] },
): Promise<Job> {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-script-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string) => path.join(folder, name);
  const executable = (name: string, content: string) => {
    writeFileSync(file(name), `#!/bin/bash\n${content}\n`);
    chmodSync(file(name), 0o755);
  };
  executable('esta', `echo "esta $*"; ${program}`);
  executable('scontrol', `echo "$*" >> ${file('calls')}; echo JobState=${state}`);
  if (requeues > 0) writeFileSync(file('7_1.requeues'), 'x\n'.repeat(requeues));
  const launcher = { ...launcherDefaults, max_requeues: most, setup: ['export SET=yes', ...setup] };
  const tasks = [{ only: ['a/s'] }, { only: ['a/s', "b's/t"] }];
  const script = arrayScript({
    name: 'esta-x',
    launcher,
    folder,
    command: [file('esta'), 'run', 'my file.yaml'],
    tasks,
  });
  const environment = {
    ...process.env,
    PATH: `${folder}:${process.env['PATH']}`,
    SLURM_ARRAY_JOB_ID: '7',
    SLURM_ARRAY_TASK_ID: '1',
  };
  const child = spawn('bash', ['-c', script], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  const closed = once(child, 'close');
  while (signal && !existsSync(file('started'))) await setTimeout(20);
  if (signal) child.kill(signal);
  const [status] = (await closed) as [number];
  const calls = existsSync(file('calls')) ? readFileSync(file('calls'), 'utf8').trim().split('\n') : [];
  return { status, calls, output };
}

const saves = (signal: string, status: number) =>
  `trap 'sleep 0.2; echo saved; exit ${status}' ${signal}; touch $(dirname $0)/started; while :; do sleep 0.05; done`;

test('a task runs its items; the status is that of the program', { skip: noBash }, async (t) => {
  const { status, calls, output } = await job(t, 'echo "SET=$SET"; exit 1', {});
  assert.deepEqual([status, calls], [1, []]);
  assert.equal(output, "esta run my file.yaml --only a/s --only b's/t\nSET=yes\n");
});

test('the warning of the time limit: saved, queued again, so many times', { skip: noBash }, async (t) => {
  const first = await job(t, saves('USR2', 75), { signal: 'SIGUSR2' });
  assert.deepEqual([first.status, first.calls], [75, ['requeue 7_1']]);
  assert.match(first.output, /saved/);
  const last = await job(t, saves('USR2', 75), { signal: 'SIGUSR2', requeues: 1 });
  assert.deepEqual([last.status, last.calls], [75, []]);
  const done = await job(t, saves('USR2', 0), { signal: 'SIGUSR2' });
  assert.deepEqual([done.status, done.calls], [0, []], 'it has finished in time');
});

test('a warning while the job is set up: queued again, and nothing begins', { skip: noBash }, async (t) => {
  const setup = ['touch $(dirname $(which esta))/started', 'sleep 0.2'];
  const { status, calls, output } = await job(t, 'echo begun', { signal: 'SIGUSR2', setup });
  assert.deepEqual([status, calls], [75, ['requeue 7_1']]);
  assert.doesNotMatch(output, /begun/);
});

test('preempted: queued again, however often; cancelled: not', { skip: noBash }, async (t) => {
  const preempted = await job(t, saves('TERM', 130), { signal: 'SIGTERM', most: 0 });
  assert.deepEqual([preempted.status, preempted.calls], [130, ['show job -o 7_1', 'requeue 7_1']]);
  const cancelled = await job(t, saves('TERM', 130), { signal: 'SIGTERM', state: 'CANCELLED' });
  assert.deepEqual([cancelled.status, cancelled.calls], [130, ['show job -o 7_1']]);
});

test('what is asked for', () => {
  const launcher = {
    ...{
      ...launcherDefaults,
      partition: 'gpu',
      account: 'lab',
      time: '1-00:00:00',
      memory: '8G',
      cpus: 4,
      gpus: 'a100:1',
    },
    ...{ constraint: 'ib&avx', directives: ['--qos=long'], warning_seconds: 60 },
  };
  assert.deepEqual(
    directivesOf(launcher).map(({ option, from }) => `${from} ${option}`),
    [
      'launcher.partition --partition=gpu',
      'launcher.account --account=lab',
      'launcher.time --time=1-00:00:00',
      'launcher.memory --mem=8G',
      'launcher.cpus --cpus-per-task=4',
      'launcher.gpus --gpus=a100:1',
      'launcher.constraint --constraint=ib&avx',
      'launcher.directives --qos=long',
    ],
  );
  const request = { name: 'esta-x', launcher, folder: '/runs/x/slurm', command: ['esta', 'report', '/runs/x y'] };
  const script = arrayScript({ ...request, tasks: [{ only: ['a'] }, { only: ['b'] }] });
  for (const line of [
    '--array=0-1',
    '--open-mode=append',
    '--signal=B:USR2@60',
    '--output=/runs/x/slurm/%A_%a.log',
    '--requeue',
  ]) {
    assert.ok(script.includes(`\n#SBATCH ${line}\n`), line);
  }
  assert.ok(singleScript(request).endsWith("\nesta report '/runs/x y'\n"));
});

test('a log in a folder with an odd name, as sbatch reads it', () => {
  const log = (folder: string) => {
    const script = singleScript({ name: 'esta-x', launcher: launcherDefaults, folder, command: ['esta'] });
    return /^#SBATCH --output=(.*)$/m.exec(script)?.[1];
  };
  assert.equal(log('/runs/x/slurm'), '/runs/x/slurm/%j.log');
  assert.equal(log('/100%/a%j'), '/100%%/a%%j/%j.log');
  assert.equal(log(`/my runs/#1/it's "x"`), `"/my runs/#1/it's \\"x\\"/%j.log"`);
});
