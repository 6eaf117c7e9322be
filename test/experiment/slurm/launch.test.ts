/** Submission, with programs in place of Slurm's that write down how they are called. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { launch } from '../../../src/experiment/slurm/launch.js';
import { launchRun } from '../../../src/experiment/slurm/launch-run.js';
import { launcherOf, profileFile } from '../../../src/experiment/slurm/profile.js';
import { clusterStatus, formatStatus } from '../../../src/experiment/slurm/status.js';
import { noteSubmitted } from '../../../src/experiment/slurm/submitted.js';
import { studyOf } from '../../../src/experiment/studies/study.js';
import { RequestError } from '../../../src/shared/errors.js';
import { readJsonLines } from '../../../src/shared/files.js';
import { launched, sbatch, withPrograms } from './programs.js';

const request = { command: ['esta', 'run', 'x.yaml'], report: ['esta', 'report', 'x'], isPrinted: false };

test('what is left is submitted once, waits for its rates, and is joined with queue and accounts', async (t) => {
  const folder = withPrograms(t, {
    sbatch,
    scontrol: 'echo "MaxArraySize            = 1001"',
    squeue: 'cat $folder/queue',
    sacct: 'echo "101_1|TIMEOUT"',
  });
  writeFileSync(path.join(folder, 'queue'), '');
  const runFolder = path.join(folder, 'run');
  const first = await launch(launched(), { ...request, runFolder });
  const calls = () => readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n');
  assert.deepEqual(calls(), [
    '--parsable',
    '--parsable --dependency=afterok:101_0:101_1',
    '--parsable --dependency=afterany:101:102',
  ]);
  assert.ok(existsSync(path.join(runFolder, 'slurm')));
  assert.deepEqual(
    first.document.submitted.map(({ job }) => job),
    ['101', '102', '103'],
  );
  writeFileSync(path.join(folder, 'queue'), '101_0|RUNNING|None\n102_0|PENDING|Dependency\n');
  const status = await clusterStatus(launched(), runFolder);
  assert.deepEqual(
    status.items.map(({ job, state, job_state }) => [job, state, job_state]),
    [
      ['101_0', 'ready', 'RUNNING'],
      ['101_1', 'ready', 'TIMEOUT'],
      ['102_0', 'waiting', 'PENDING (Dependency)'],
      ['102_0', 'waiting', 'PENDING (Dependency)'],
    ],
  );
  assert.match(formatStatus(status), /stitched-grid-0\.2 +ready +101_1 +TIMEOUT/);
  // Only the rate that has ended without a result.
  const again = await launch(launched(), { ...request, runFolder });
  assert.deepEqual(again.document.submitted[0]!.items, [['species-esta-seed0/stitched-grid-0.2']]);
  assert.equal(again.document.submitted.length, 2, 'and the report');
});

test('a directive that is refused is shown with what sbatch says', async (t) => {
  const folder = withPrograms(t, {
    sbatch: 'echo "sbatch: error: invalid partition specified: nope" >&2; exit 1',
    scontrol: 'true',
  });
  const launcher = { partition: 'nope', account: 'lab' };
  await assert.rejects(launch(launched(launcher), { ...request, runFolder: path.join(folder, 'run') }), (error) => {
    assert.ok(error instanceof RequestError);
    assert.equal(
      error.message,
      'sbatch refused the job: sbatch: error: invalid partition specified: nope\n  launcher.partition: --partition=nope',
    );
    return true;
  });
});

test('without Slurm: a message; --print works and writes nothing', async (t) => {
  const folder = withPrograms(t, {});
  process.env['PATH'] = folder;
  const runFolder = path.join(folder, 'run');
  await assert.rejects(
    launch(launched(), { ...request, runFolder }),
    (error) => error instanceof RequestError && error.message === 'scontrol is not installed here',
  );
  const printed = await launch(launched(), { ...request, runFolder, isPrinted: true });
  assert.match(printed.text, /^# sbatch\n#!\/bin\/bash\n/);
  assert.match(printed.text, /\n# sbatch --dependency=afterok:JOB1_0:JOB1_1\n/);
  assert.equal(existsSync(runFolder), false);
});

test('the experiment file says it over the profile, and the profile over the defaults', async (t) => {
  const folder = withPrograms(t, {});
  const profile = path.join(folder, 'config', 'esta', 'launcher.yaml');
  assert.equal((await launcherOf(launched())).cpus, 1);
  mkdirSync(path.dirname(profile), { recursive: true });
  writeFileSync(profile, 'partition: mine\ncpus: 8\n');
  const { partition, cpus, max_requeues } = await launcherOf(launched({ cpus: 2 }));
  assert.deepEqual([partition, cpus, max_requeues], ['mine', 2, 20]);
  writeFileSync(profile, 'partitoin: mine\n');
  await assert.rejects(launcherOf(launched()), (error) => {
    return error instanceof RequestError && error.message.startsWith(`${profile} has a problem\n  line 1: partitoin: `);
  });
});

const trial = 'species-esta-seed0';
const write = (runFolder: string, name: string, ...lines: readonly object[]) => {
  const file = path.join(runFolder, 'trials', trial, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
};
const rateLine = (rate: number) => ({ stage: 'stitched', base_rate: rate, accuracy: 50 });
const identity = { version: 1, dataset: 'species', method: 'esta', seed: 0, learningRate: 0.1 };

test('what is submitted is told and noted: arrays, the report, logs', async (t) => {
  const folder = withPrograms(t, { sbatch, scontrol: 'true', squeue: 'true' });
  const runFolder = path.join(folder, 'run');
  const launcher = { gpus: 'a100:1', constraint: 'ib', memory: '8G', cpus: 4, partition: 'gpu' };
  const { text, document } = await launch(launched(launcher), { ...request, runFolder });
  assert.equal(
    text,
    `Submitted 3 tasks in 2 arrays, and the report after them: 101, 102, 103\nLogs: ${path.join(runFolder, 'slurm')}`,
  );
  const [low, high, ...last] = ['stitched-grid-0.1', 'stitched-grid-0.2', 'stitched', 'evaluation'].map(
    (name) => `${trial}/${name}`,
  );
  const submitted = [
    { job: '101', items: [[low], [high]] },
    { job: '102', items: [last] },
    { job: '103', items: [['report']] },
  ];
  assert.deepEqual(document, { run: runFolder, submitted });
  const noted = await readJsonLines<{ readonly submitted: string }>(path.join(runFolder, 'slurm', 'jobs.jsonl'));
  assert.deepEqual(
    noted.map(({ submitted: _, ...line }) => line),
    submitted.map(({ job, items }, index) => ({ job, tasks: items, isArray: index < 2 })),
  );
  const directives = (job: number) =>
    readFileSync(path.join(folder, `script-${job}`), 'utf8').match(/(?<=^#SBATCH )--(part|mem|cpus|gpus|const).*$/gm);
  const asked = ['--partition=gpu', '--mem=8G', '--cpus-per-task=4', '--gpus=a100:1', '--constraint=ib'];
  assert.deepEqual(directives(101), asked);
  assert.deepEqual(directives(103), ['--partition=gpu', '--cpus-per-task=1'], 'the report needs little');
});

test('rates that are noted are waited for by nobody; the array is split at the size of the cluster', async (t) => {
  const folder = withPrograms(t, { sbatch, scontrol: 'echo MaxArraySize = 1', squeue: 'true' });
  const split = path.join(folder, 'split');
  const { text } = await launch(launched(), { ...request, runFolder: split });
  assert.match(text, /^Submitted 3 tasks in 3 arrays/);
  const runFolder = path.join(folder, 'run');
  write(runFolder, 'grid.jsonl', rateLine(0.1), rateLine(0.2));
  const rest = await launch(launched(), { ...request, runFolder });
  assert.match(rest.text, /^Submitted 1 tasks in 1 array, /);
  const calls = readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n');
  assert.deepEqual(calls.slice(-2), ['--parsable', '--parsable --dependency=afterany:105']);
});

test('nothing is submitted where all is finished, or in the queue', async (t) => {
  const folder = withPrograms(t, { sbatch, scontrol: 'true', squeue: 'cat $folder/queue' });
  const runFolder = path.join(folder, 'run');
  const items = ['stitched-grid-0.1', 'stitched-grid-0.2', 'stitched', 'evaluation'].map((name) => `${trial}/${name}`);
  await noteSubmitted(runFolder, { job: '7', tasks: items.map((id) => [id]), isArray: true });
  writeFileSync(path.join(folder, 'queue'), items.map((_, task) => `7_${task}|PENDING|Priority\n`).join(''));
  const nothing = { run: runFolder, submitted: [] };
  assert.deepEqual(await launch(launched(), { ...request, runFolder }), {
    text: 'All that is left is in the queue or under way.',
    document: nothing,
  });
  writeFileSync(path.join(folder, 'queue'), '');
  const result = { ...identity, stitches: [], trainSeconds: 0, epochs: 1, status: 'finished' };
  write(runFolder, 'result.json', result);
  const finished = { text: 'All items are finished.', document: nothing };
  assert.deepEqual(await launch(launched(), { ...request, runFolder }), finished);
  assert.equal(existsSync(path.join(folder, 'calls')), false);
  const printed = await launch(launched(), { ...request, runFolder, isPrinted: true });
  assert.deepEqual(printed, { ...finished, document: { ...nothing, scripts: [] } });
});

test('a queue that cannot be asked: printed as if it were empty, and not submitted', async (t) => {
  const folder = withPrograms(t, { sbatch, scontrol: 'true', squeue: 'echo "no controller" >&2; exit 1' });
  const runFolder = path.join(folder, 'run');
  await noteSubmitted(runFolder, { job: '7', tasks: [[`${trial}/stitched-grid-0.1`]], isArray: true });
  await assert.rejects(launch(launched(), { ...request, runFolder }), { message: 'squeue failed: no controller' });
  const { document } = await launch(launched(), { ...request, runFolder, isPrinted: true });
  assert.deepEqual(
    document.scripts!.map(({ options }) => options),
    [[], ['--dependency=afterok:JOB1_0:JOB1_1'], ['--dependency=afterany:JOB1:JOB2']],
  );
  assert.match(document.scripts![0]!.script, /^ {2}\S*stitched-grid-0\.1\n {2}\S*stitched-grid-0\.2\n\)$/m);
  assert.match(document.scripts![2]!.script, /\nesta report x\n$/);
});

test('the flags of esta run go on to its jobs', async (t) => {
  const folder = withPrograms(t, {});
  const flags = {
    ...{ naming: ['run', 'my file.yaml'], runFolder: path.join(folder, 'run'), isPrinted: true, engine: 'auto' },
    ...{ set: ['seeds=[1]', 'name=x'], reuse: ['old', 'older'] },
  };
  const scripts = async (more: object) =>
    (await launchRun(launched({ cpus: 3 }), { ...flags, ...more })).document.scripts!.map(({ script }) => script);
  const [first, , report] = await scripts({});
  const words = (text: string) =>
    text
      .split('\n')
      .find((line) => line.includes('/cli.js'))!
      .split('/cli.js ')[1];
  const [run, file] = [flags.runFolder, "'my file.yaml'"];
  const set = `--set 'seeds=[1]' --set name=x --reuse old --reuse older`;
  assert.equal(words(first!), `run ${file} --out ${run} ${set} --engine auto --threads 3 --wait "\${only[@]}" &`);
  assert.equal(words(report!), `report ${run} --out ${path.join(run, 'report.html')}`);
  const [other] = await scripts({ set: [], reuse: [], device: 'cuda', threads: 2 });
  assert.equal(
    words(other!),
    `run ${file} --out ${run} --engine auto --device cuda --threads 2 --wait "\${only[@]}" &`,
  );
});

test('a folder of --reuse that holds no run is refused before a job is submitted', async (t) => {
  const folder = withPrograms(t, { sbatch, scontrol: 'true' });
  const flags = { naming: ['run', 'x.yaml'], runFolder: path.join(folder, 'run'), isPrinted: false, engine: 'auto' };
  await assert.rejects(
    launchRun(launched(), { ...flags, set: [], reuse: [path.join(folder, 'old')] }),
    (error) => error instanceof RequestError && error.message === `--reuse: ${folder}/old does not exist`,
  );
  assert.ok(!existsSync(path.join(folder, 'calls')), 'sbatch was not called');
});

test('the trials of an ablation are submitted, and its jobs run esta ablate', async (t) => {
  const folder = withPrograms(t, {});
  const { experiment, variants } = studyOf('distillation', launched(), 2);
  const naming = ['ablate', 'distillation', '--experiment', 'my.yaml', '--seeds', '2'];
  const flags = { naming, variants, runFolder: path.join(folder, 'run'), isPrinted: true, engine: 'auto' };
  const { document } = await launchRun(experiment, { ...flags, set: [], reuse: [] });
  const rates = document.scripts![0]!.script;
  assert.match(rates, /\/cli\.js ablate distillation --experiment my\.yaml --seeds 2 --out /);
  const trials = ['with', 'without'].flatMap((name) =>
    [0, 1].map((seed) => `species-esta-${name}-distillation-seed${seed}`),
  );
  const gridOf = (name: string) => [0.1, 0.2].map((rate) => `${name}/stitched-grid-${rate}`);
  const submitted = [...rates.matchAll(/^ {2}(species-\S+)$/gm)].map(([, name]) => name);
  assert.deepEqual(submitted, trials.flatMap(gridOf));
});

test('the profile lies in the folder of configuration, by default .config at home', (t) => {
  const folder = withPrograms(t, {});
  assert.equal(profileFile(), path.join(folder, 'config', 'esta', 'launcher.yaml'));
  delete process.env['XDG_CONFIG_HOME'];
  const home = process.env['HOME'];
  t.after(() => {
    process.env['HOME'] = home;
  });
  process.env['HOME'] = '/home/someone';
  assert.equal(profileFile(), '/home/someone/.config/esta/launcher.yaml');
});

test('a run folder whose logs Slurm could not name is refused before anything is submitted', async (t) => {
  const folder = withPrograms(t, { sbatch, scontrol: 'true' });
  for (const name of ['a\\b', 'a\nb']) {
    await assert.rejects(
      launch(launched(), { ...request, runFolder: path.join(folder, name) }),
      (error) => error instanceof RequestError && /backslash or a line break/.test(error.message),
    );
  }
  assert.ok(!existsSync(path.join(folder, 'calls')));
});

test('a profile that cannot be read is not left out silently', async (t) => {
  withPrograms(t, {});
  mkdirSync(profileFile(), { recursive: true });
  await assert.rejects(
    launcherOf({}),
    (error) => error instanceof RequestError && /launcher\.yaml cannot be read \(EISDIR\)/.test(error.message),
  );
  process.env['XDG_CONFIG_HOME'] = '';
  assert.ok(path.isAbsolute(profileFile()), 'an empty variable is as good as none');
});

test('a run folder that is a file is refused in words', async (t) => {
  const folder = withPrograms(t, { sbatch, scontrol: 'true', squeue: 'true' });
  const runFolder = path.join(folder, 'file');
  writeFileSync(runFolder, '');
  const isRefused = (error: unknown) =>
    error instanceof RequestError && error.message.startsWith(`${runFolder} cannot be a folder`);
  await assert.rejects(launch(launched(), { ...request, runFolder, isPrinted: true }), isRefused);
  await assert.rejects(clusterStatus(launched(), runFolder), isRefused);
});
