/** Which trials a run folder keeps, and what it never removes. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { configurationOf, type RunRequest, writeConfiguration } from '../../src/run-folder/run-configuration.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';

const request = (seeds: readonly number[], epochs = 1): RunRequest => {
  const experiment = experimentSchema.parse({
    name: 'x',
    seeds,
    anchors: ['Ti', 'S'].map((name) => ({ name, architecture: name })),
    data: { kind: 'species' },
    adaptation: { ranks: [1, 1] },
    training: { epochs },
  });
  return { given: experiment, experiment, variants: [] };
};

/** A folder with two trials that were planned, the second of them trained, and something that is no trial. */
async function runFolder(t: TestContext) {
  const folder = path.join(temporaryFolder(t), 'run');
  const open = async (...asked: Parameters<typeof request>) =>
    writeConfiguration(folder, await configurationOf(folder, request(...asked)));
  const trials = path.join(folder, 'trials');
  for (const name of ['species-esta-seed0', 'species-esta-seed1', 'patients'])
    await mkdir(path.join(trials, name), { recursive: true });
  const write = (name: string, file: string) => writeFile(path.join(trials, name, file), '{"status":"finished"}');
  return { folder, open, write, names: async () => (await readdir(trials)).sort() };
}

test('planned trials of another configuration go; what is no trial stays', async (t) => {
  const { open, write, names } = await runFolder(t);
  for (const name of ['species-esta-seed0', 'species-esta-seed1']) await write(name, 'status.json');
  await open([0]);
  assert.deepEqual(await names(), ['patients', 'species-esta-seed0']);
  await write('species-esta-seed0', 'status.json');
  await open([2], 5);
  assert.deepEqual(await names(), ['patients'], 'nothing was trained');
});

test('without experiment.yaml what was trained goes on, or is refused, and is never removed', async (t) => {
  const { folder, open, write, names } = await runFolder(t);
  await write('species-esta-seed1', 'status.json');
  await write('species-esta-seed1', 'result.json');
  await assert.rejects(open([0]), {
    message: `${folder} holds species-esta-seed1, which was trained, and no experiment.yaml that says how`,
    hint: /^Put experiment\.yaml back, or choose another folder/,
  });
  const all = ['patients', 'species-esta-seed0', 'species-esta-seed1'];
  assert.deepEqual(await names(), all);
  await open([0, 1]);
  assert.deepEqual(await names(), all);
  await rm(path.join(folder, 'experiment.yaml'));
  await open([1]);
  assert.deepEqual(await names(), all, 'what has no status is not known to be a trial');
});

test('a file in the place of the folder is refused before anything is planned', async (t) => {
  const file = path.join(temporaryFolder(t), 'taken');
  await writeFile(file, '');
  for (const folder of [file, path.join(file, 'below')]) {
    await assert.rejects(configurationOf(folder, request([0])), {
      ...{ name: 'RequestError', message: `${folder} cannot be a folder: it, or a part of its path, is a file` },
    });
  }
});
