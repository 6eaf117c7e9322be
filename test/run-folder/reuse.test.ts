import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { finishedTrials } from '../../src/run-folder/reuse.js';
import { writeRunFolder } from './run-folder-fixture.js';

test('trials that are not finished or cannot be read are not taken over, the others are', async () => {
  const settings = (name: string) => (result: object) => ({ ...result, settings: name });
  const run = await writeRunFolder([
    { seed: 0, change: settings('good') },
    { seed: 1, state: 'failed', change: settings('failed') },
    { seed: 2, state: 'waiting' },
    { seed: 3, change: () => ({ version: 1, stitches: 'none' }) },
    { seed: 4, change: () => ({ version: 2 }) },
    { seed: 5 },
  ]);
  const cut = path.join(run, 'trials', 'stanford-cars-esta-seed5');
  await writeFile(path.join(cut, 'result.json'), '{"version": 1, ');
  const found = await finishedTrials([run]);
  assert.deepEqual([...found.keys()], ['good']);
  assert.equal(found.get('good')!.folder, path.join(run, 'trials', 'stanford-cars-esta-seed0'));
});
