/** What is asked of Slurm, and how its answers are read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ended, largestArray, queued, submit } from '../../../src/experiment/slurm/commands.js';
import { RequestError } from '../../../src/shared/errors.js';
import { withPrograms } from './programs.js';

/** No program but these. */
function onlyPrograms(t: TestContext, programs: Readonly<Record<string, string>>): string {
  const folder = withPrograms(t, programs);
  process.env['PATH'] = folder;
  return folder;
}

test('tasks that an array may have: what the cluster says, else as Slurm has it', async (t) => {
  const cases: readonly [string, number][] = [
    ["printf 'ClusterName = c\\nMaxArraySize            = 4001\\nMaxJobCount = 5\\n'", 4001],
    ['echo MaxArraySize=77', 77],
    ["printf 'OldMaxArraySize = 3\\n'", 1001],
    ['exit 1', 1001],
  ];
  for (const [program, expected] of cases) {
    withPrograms(t, { scontrol: `[ "$*" = "show config" ] || exit 2; ${program}` });
    assert.equal(await largestArray(), expected, program);
  }
});

test('a script is given to sbatch, which answers with the number of the job', async (t) => {
  const folder = withPrograms(t, { sbatch: 'echo "$*" > $folder/call; cat > $folder/script; echo "12;cluster"' });
  assert.equal(await submit('#!/bin/bash\n', ['--dependency=afterok:1'], []), '12');
  assert.equal(readFileSync(path.join(folder, 'call'), 'utf8'), '--parsable --dependency=afterok:1\n');
  assert.equal(readFileSync(path.join(folder, 'script'), 'utf8'), '#!/bin/bash\n');
});

test('a refusal names the directives that it is about, or all of them', async (t) => {
  const options = ['--partition=ab', '--mem=8G', '--cpus-per-task=4', '--qos=long', '--comment=abc', '--exclusive'];
  const directives = options.map((option) => ({ option, from: 'launcher' }));
  const cases: readonly [said: string, about: readonly string[]][] = [
    ['Invalid Partition specified', ['--partition=ab']],
    ['Memory specification can not be satisfied', ['--mem=8G']],
    ['More CPUs than a node has', ['--cpus-per-task=4']],
    ["unrecognized option '--exclusive'", ['--exclusive']],
    ['unknown option --mem', ['--mem=8G']],
    ['nobody knows long', ['--qos=long']],
    ['there is no abc', ['--comment=abc']],
    ['the controller is down', options],
    ['unable to do it', options], // "ab" is too short to be what is meant
  ];
  for (const [said, about] of cases) {
    withPrograms(t, { sbatch: `echo "${said}" >&2; exit 1` });
    await assert.rejects(submit('', [], directives), (error) => {
      assert.ok(error instanceof RequestError);
      const lines = about.map((option) => `\n  launcher: ${option}`).join('');
      assert.equal(error.message, `sbatch refused the job: ${said}${lines}`);
      return true;
    });
  }
});

test('a refusal without words, and one that reads nothing of a long script', async (t) => {
  withPrograms(t, { sbatch: 'exit 3' });
  await assert.rejects(submit('x'.repeat(1e6), [], []), (error) => {
    assert.ok(error instanceof RequestError);
    return error.message.startsWith('sbatch refused the job: Command failed: sbatch --parsable');
  });
});

test('what is queued, by task: its state, and why it is pending', async (t) => {
  const lines = ['12_0|PENDING|Priority', '12_1|RUNNING|None', '13|PENDING|', ''];
  const folder = withPrograms(t, { squeue: `echo "$*" > $folder/call; printf '${lines.join('\\n')}'` });
  assert.deepEqual(
    await queued(),
    new Map([
      ['12_0', 'PENDING (Priority)'],
      ['12_1', 'RUNNING'],
      ['13', 'PENDING'],
    ]),
  );
  const call = readFileSync(path.join(folder, 'call'), 'utf8');
  assert.equal(call, '--noheader --array --me --format=%i|%T|%r\n');
  withPrograms(t, { squeue: 'echo " no controller" >&2; exit 1' });
  await assert.rejects(queued(), { name: 'RequestError', message: 'squeue failed: no controller' });
});

test('a queue of more than a megabyte', async (t) => {
  withPrograms(t, { squeue: `head -c 1500000 /dev/zero | tr '\\0' x` });
  assert.equal((await queued()).size, 1);
});

test('what has ended, where the cluster keeps accounts', async (t) => {
  const folder = withPrograms(t, { sacct: `echo "$*" > $folder/call; printf '12_0|TIMEOUT\\n13|COMPLETED\\n'` });
  const expected = new Map([
    ['12_0', 'TIMEOUT'],
    ['13', 'COMPLETED'],
  ]);
  assert.deepEqual(await ended(['12', '13']), expected);
  assert.match(readFileSync(path.join(folder, 'call'), 'utf8'), /--parsable2 --allocations .* --jobs=12,13$/m);
  withPrograms(t, { sacct: 'exit 1' });
  assert.equal(await ended(['12']), undefined);
});

test('without Slurm each program is named that is not there', async (t) => {
  onlyPrograms(t, {});
  const missing = (program: string) => ({
    name: 'RequestError',
    message: `${program} is not installed here`,
    hint: /login node/,
  });
  await assert.rejects(largestArray(), missing('scontrol'));
  await assert.rejects(submit('', [], []), missing('sbatch'));
  await assert.rejects(queued(), missing('squeue'));
  assert.equal(await ended(['12']), undefined);
});
