/** How far items are, read from folders that are written here by hand. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { itemsOf } from '../../../src/experiment/items/item.js';
import { statesOf } from '../../../src/experiment/items/states.js';
import type { Recipe } from '../../../src/experiment/recipe.js';
import { claimFolder, type Lock } from '../../../src/run-folder/lock.js';
import { thisProcess } from '../../../src/shared/processes/process-mark.js';

const run = { split: 'train', epochs: 1, steps: 3, warmupSteps: 0 };
const stages = [
  { name: 'stitched', learningRates: [0.1, 0.2].map((base) => ({ base, peak: base })), grid: run, final: run },
] as unknown as Recipe['stages'];
const items = (name: string) => itemsOf({ name }, { stages });

function runFolder(t: TestContext): { folder: string; write: (name: string, content: unknown) => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-states-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, content: unknown) => {
    const file = path.join(folder, 'trials', 'a', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(content)}\n`);
  };
  return { folder, write };
}

const identity = { version: 1, dataset: 'd', method: 'esta', seed: 0, learningRate: 0 };
const result = { ...identity, stitches: [], trainSeconds: 0, epochs: 1 };
const line = (rate: number) => ({ stage: 'stitched', base_rate: rate, accuracy: 50 });
const mine = { ...thisProcess(), since: '2026-01-01T00:00:00Z', token: 'x' };

test('states follow from what lies on disk, step by step', async (t) => {
  const { folder, write } = runFolder(t);
  const states = async () => [...(await statesOf(folder, items('a'))).values()].map(({ state }) => state);
  assert.deepEqual(await states(), ['ready', 'ready', 'waiting', 'waiting']);
  write('stitched-grid-0.1/lock.1', mine);
  assert.deepEqual(await states(), ['running', 'ready', 'waiting', 'waiting']);
  write('stitched-grid-0.1/grid.jsonl', line(0.1)); // noted, and not yet gathered
  assert.deepEqual(await states(), ['finished', 'ready', 'waiting', 'waiting']);
  write('grid.jsonl', line(0.2));
  assert.deepEqual(await states(), ['finished', 'finished', 'ready', 'waiting']);
  write('lock.3', mine);
  assert.deepEqual(await states(), ['finished', 'finished', 'running', 'waiting']);
  write('lock.3', { ...mine, released: true });
  write('status.json', { ...identity, state: 'running', trained: ['stitched'] });
  write('checkpoint-stitched.safetensors', '');
  assert.deepEqual(await states(), ['finished', 'finished', 'finished', 'ready']);
  write('result.json', { ...result, status: 'failed', error: 'the disk is full' });
  assert.deepEqual((await statesOf(folder, items('a'))).get('a/evaluation'), {
    state: 'failed',
    error: 'the disk is full',
  });
  write('result.json', { ...result, status: 'finished' });
  assert.deepEqual(await states(), ['finished', 'finished', 'finished', 'finished']);
});

test('the states of ten thousand items, and a claim among them', async (t) => {
  const { folder } = runFolder(t);
  const names = Array.from({ length: 2500 }, (_, index) => `trial-${index}`);
  for (const name of names) {
    const trial = path.join(folder, 'trials', name);
    mkdirSync(path.join(trial, 'stitched-grid-0.2'), { recursive: true });
    writeFileSync(path.join(trial, 'status.json'), JSON.stringify({ ...identity, state: 'running' }));
    writeFileSync(path.join(trial, 'grid.jsonl'), `${JSON.stringify(line(0.1))}\n`);
    writeFileSync(path.join(trial, 'stitched-grid-0.2', 'grid.jsonl'), `${JSON.stringify(line(0.2))}\n`);
  }
  const all = names.flatMap(items);
  assert.equal(all.length, 10_000);
  const before = process.cpuUsage();
  const states = await statesOf(folder, all);
  await ((await claimFolder(path.join(folder, 'trials', 'trial-7'))) as Lock).release();
  const { user } = process.cpuUsage(before);
  assert.equal(states.get('trial-2499/stitched')!.state, 'ready');
  t.diagnostic(`${(user / 1e6).toFixed(2)} s of computing`);
});
