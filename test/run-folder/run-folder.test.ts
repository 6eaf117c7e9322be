import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { findRunFolders, readRunFolder } from '../../src/run-folder/run-folder.js';
import { temporaryFolder, writeRunFolder } from './run-folder-fixture.js';

test('trials are read in whatever state they are', async () => {
  const folder = await writeRunFolder([
    { seed: 0 },
    { seed: 1, state: 'failed' },
    { seed: 2, state: 'running' },
    { seed: 3, state: 'waiting' },
  ]);
  const { trials, problems } = await readRunFolder(folder);
  assert.deepEqual(
    trials.map(({ state }) => state),
    ['finished', 'failed', 'running', 'waiting'],
  );
  assert.equal(trials[0]!.result!.stitches.length, 71);
  assert.equal(trials[1]!.result, undefined);
  assert.equal(trials[1]!.error, 'the loss is not a number at step 120');
  assert.deepEqual(problems, [`${folder} is not complete: 2 of 4 trials have no result`]);
});

test('trials come in the order of the experiment, others after them by name', async () => {
  const folder = await writeRunFolder([{ seed: 0 }, { seed: 1 }, { seed: 2 }, { seed: 3 }]);
  const name = (seed: number) => `stanford-cars-esta-seed${seed}`;
  const seeds = async () => (await readRunFolder(folder)).trials.map(({ identity }) => identity!.seed);
  const environment = path.join(folder, 'environment.json');
  await writeFile(environment, JSON.stringify({ trials: [name(3), name(9), name(1)] }));
  assert.deepEqual(await seeds(), [3, 1, 0, 2]);
  for (const content of ['null', '{"trials": 7}', '{"trials"']) {
    await writeFile(environment, content);
    assert.deepEqual(await seeds(), [0, 1, 2, 3], content);
  }
});

test('what cannot be read is named and the rest is reported', async () => {
  const folder = await writeRunFolder([{ seed: 0 }, { seed: 1 }, { seed: 2 }, { seed: 3 }]);
  const file = (seed: number) => path.join(folder, 'trials', `stanford-cars-esta-seed${seed}`, 'result.json');
  await writeFile(file(1), '{"version": 1, "data');
  await writeFile(file(2), '{"version": 7}');
  await rm(file(3));
  const { trials, problems } = await readRunFolder(folder);
  assert.deepEqual(
    trials.map(({ state }) => state),
    ['finished', 'unreadable', 'unreadable', 'unreadable'],
  );
  assert.match(problems[0]!, /seed1.result\.json is not valid JSON/);
  assert.match(problems[1]!, /seed2.result\.json was written by another version of esta \(format 7/);
  assert.equal(trials[3]!.error, 'result.json is missing');
});

test('a journal that holds something else is named, and the trial is reported', async () => {
  const folder = await writeRunFolder([{}]);
  const file = path.join(folder, 'trials', 'stanford-cars-esta-seed0', 'tests.jsonl');
  for (const line of ['null', '{"stage":"stitched","epoch":1}', '{"stage":"stitched","epoch":1,"accuracy":"50"}']) {
    await writeFile(file, `${line}\n`);
    const { trials, problems } = await readRunFolder(folder);
    assert.deepEqual([trials[0]!.state, trials[0]!.journal], ['finished', undefined]);
    assert.match(problems[0]!, /the journal of .* cannot be read: .*tests\.jsonl: .* is no line of a training/);
  }
});

test('a trial that a kill left without status is missing, under the name of its folder', async () => {
  const folder = await writeRunFolder([]);
  await mkdir(path.join(folder, 'trials', 'nabirds-esta-seed0'));
  const { trials } = await readRunFolder(folder);
  assert.deepEqual(
    [trials[0]!.state, trials[0]!.name, trials[0]!.identity],
    ['waiting', 'nabirds-esta-seed0', undefined],
  );
});

test('trials that disagree are pointed out', async () => {
  const folder = await writeRunFolder([
    { seed: 0, change: (result) => ({ ...result, configuration: 'aa' }) },
    { seed: 1, change: (result) => ({ ...result, configuration: 'aa' }) },
    { seed: 2, scale: 0.5, change: (result) => ({ ...result, configuration: 'bb', epochs: 50 }) },
  ]);
  const { problems } = await readRunFolder(folder);
  assert.deepEqual(
    problems.map((problem) => problem.slice(folder.length + 2)),
    [
      'stanford-cars-esta-seed2 ran with another configuration than the other trials; do not average them',
      'esta on stanford-cars: trials differ in epochs (100, 50)',
      'esta on stanford-cars: stitch 0 has other FLOPs in other trials, so their stitch spaces differ',
    ],
  );
});

test('a folder of run folders stands for them', async () => {
  const parent = await temporaryFolder();
  const first = await writeRunFolder([{}], 'first', parent);
  const second = await writeRunFolder([{}], 'second', parent);
  await mkdir(path.join(parent, 'notes'));
  assert.deepEqual(await findRunFolders([parent, second]), [first, second]);
});

test('folders that do not exist or hold no run are refused; beside a run they are only named', async () => {
  const run = await writeRunFolder([{}]);
  const empty = await temporaryFolder();
  await assert.rejects(findRunFolders([path.join(empty, 'nope')]), /nope does not exist/);
  await assert.rejects(findRunFolders([path.join(run, 'experiment.yaml')]), /is a file, not a run folder/);
  await assert.rejects(findRunFolders([empty]), /no run folder, there is neither experiment\.yaml nor trials\//);
  assert.deepEqual(await findRunFolders([run, empty]), [run, empty]);
  assert.match((await readRunFolder(empty)).problems[0]!, /is not a run folder/);
});
