/** Items run one by one, in an order of their own, end with the numbers of one process. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { itemsOfPlan } from '../../../src/experiment/items/item.js';
import { openItems } from '../../../src/experiment/items/run-items.js';
import { planOf } from '../../../src/experiment/plan.js';
import { claimFolder, type Lock } from '../../../src/run-folder/lock.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { miniature, outcomeOf } from '../miniature.js';

test('rates in any order, final runs and evaluation one by one, equal one process; what waits is not run', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({
    methods: ['adapt-then-stitch'],
    training: { epochs: 1, base_learning_rates: [0.05, 0.1] },
  });
  await mini.run(experiment, 'whole');
  const runFolder = path.join(mini.folder, 'items');
  const items = itemsOfPlan(await planOf(experiment, runFolder));
  const { signal } = new AbortController();
  const surroundings = { engine: mini.engine, progress: silentProgress, signal, cacheFolder: mini.cacheFolder };
  const open = () => openItems({ ...surroundings, experiment, variants: [], items, runFolder, reuse: [] });
  const trial = 'species-adapt-then-stitch-seed0';
  const run = async (name: string) => (await open()).run(`${trial}/${name}`);
  assert.deepEqual(await run('evaluation'), { state: 'waiting', waitsFor: [`${trial}/stitched`] });

  const held = (await claimFolder(path.join(runFolder, 'trials', trial, 'anchor-S-grid-0.1'))) as Lock;
  assert.equal((await run('anchor-S-grid-0.1')).state, 'held');
  await held.release();
  for (const name of ['anchor-S-grid-0.1', 'anchor-Ti-grid-0.1', 'anchor-S-grid-0.05', 'anchor-Ti-grid-0.05']) {
    assert.deepEqual(await run(name), { state: 'finished' }, name);
  }
  for (const name of ['anchor-Ti', 'anchor-S', 'stitched-grid-0.1', 'stitched-grid-0.05', 'stitched', 'evaluation']) {
    assert.deepEqual(await run(name), { state: 'finished' }, name);
  }
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), trial);
  assert.deepEqual(await outcome('items'), await outcome('whole'));
  const left = (folder: string) => readdir(path.join(mini.folder, folder, 'trials', trial));
  assert.deepEqual(await left('items'), await left('whole'));
});
