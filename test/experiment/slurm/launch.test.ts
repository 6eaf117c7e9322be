/** Submission, with programs in place of Slurm's that write down how they are called. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { launch } from '../../../src/experiment/slurm/launch.js';
import { launcherOf } from '../../../src/experiment/slurm/profile.js';
import { clusterStatus, formatStatus } from '../../../src/experiment/slurm/status.js';
import { RequestError } from '../../../src/shared/errors.js';

const experiment = (launcher?: object) =>
  experimentSchema.parse({
    name: 'launched',
    anchors: [
      { name: 'Ti', architecture: 'vit_mini_tiny' },
      { name: 'S', architecture: 'vit_mini_small' },
    ],
    data: { kind: 'species', classes: 2 },
    adaptation: { ranks: [2, 2] },
    training: { epochs: 1, base_learning_rates: [0.1, 0.2] },
    ...(launcher && { launcher }),
  });

/** Programs by name, in shell; `$folder` is where they may write. PATH and the profile are as before after the test. */
function withPrograms(t: TestContext, programs: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-launch-'));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\nfolder=${folder}\n${text}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  const before = { PATH: process.env['PATH'], XDG_CONFIG_HOME: process.env['XDG_CONFIG_HOME'] };
  process.env['PATH'] = `${folder}:${before.PATH}`;
  process.env['XDG_CONFIG_HOME'] = path.join(folder, 'config');
  t.after(() => {
    process.env['PATH'] = before.PATH;
    if (before.XDG_CONFIG_HOME === undefined) delete process.env['XDG_CONFIG_HOME'];
    else process.env['XDG_CONFIG_HOME'] = before.XDG_CONFIG_HOME;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Gives jobs numbers from 101, and keeps how it was called. */
const sbatch = `cat > /dev/null; echo "$*" >> $folder/calls; echo $((100 + $(wc -l < $folder/calls)))`;
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
  const first = await launch(experiment(), { ...request, runFolder });
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
  const status = await clusterStatus(experiment(), runFolder);
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
  const again = await launch(experiment(), { ...request, runFolder });
  assert.deepEqual(again.document.submitted[0]!.items, [['species-esta-seed0/stitched-grid-0.2']]);
  assert.equal(again.document.submitted.length, 2, 'and the report');
});

test('a directive that is refused is shown with what sbatch says', async (t) => {
  const folder = withPrograms(t, {
    sbatch: 'echo "sbatch: error: invalid partition specified: nope" >&2; exit 1',
    scontrol: 'true',
  });
  const launcher = { partition: 'nope', account: 'lab' };
  await assert.rejects(launch(experiment(launcher), { ...request, runFolder: path.join(folder, 'run') }), (error) => {
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
    launch(experiment(), { ...request, runFolder }),
    (error) => error instanceof RequestError && error.message === 'scontrol is not installed here',
  );
  const printed = await launch(experiment(), { ...request, runFolder, isPrinted: true });
  assert.match(printed.text, /^# sbatch\n#!\/bin\/bash\n/);
  assert.match(printed.text, /\n# sbatch --dependency=afterok:JOB1_0:JOB1_1\n/);
  assert.equal(existsSync(runFolder), false);
});

test('the experiment file says it over the profile, and the profile over the defaults', async (t) => {
  const folder = withPrograms(t, {});
  const profile = path.join(folder, 'config', 'esta', 'launcher.yaml');
  assert.equal((await launcherOf(experiment())).cpus, 1);
  mkdirSync(path.dirname(profile), { recursive: true });
  writeFileSync(profile, 'partition: mine\ncpus: 8\n');
  const { partition, cpus, max_requeues } = await launcherOf(experiment({ cpus: 2 }));
  assert.deepEqual([partition, cpus, max_requeues], ['mine', 2, 20]);
  writeFileSync(profile, 'partitoin: mine\n');
  await assert.rejects(launcherOf(experiment()), (error) => {
    return error instanceof RequestError && error.message.startsWith(`${profile} has a problem\n  line 1: partitoin: `);
  });
});
