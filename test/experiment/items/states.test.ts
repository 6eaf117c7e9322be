/** How far items are, read from folders that are written here by hand. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { itemsOf } from '../../../src/experiment/items/item.js';
import { statesOf } from '../../../src/experiment/items/states.js';
import type { Recipe } from '../../../src/experiment/recipe.js';
import type { Holder } from '../../../src/run-folder/lock.js';
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

test('only locks, noted rates and saved runs of their own count', async (t) => {
  const { folder, write } = runFolder(t);
  const states = async () => [...(await statesOf(folder, items('a'))).values()];
  const names = async () => (await states()).map(({ state }) => state);
  const atFirst = ['ready', 'ready', 'waiting', 'waiting'];
  write('status.json', { ...identity, state: 'running', trained: ['stitched'] });
  write('checkpoint-anchor-Ti.safetensors', '');
  write('lock.1.tmp', mine);
  write('old-lock.1', mine);
  write('grid.jsonl', { ...line(0.1), stage: 'anchor-Ti' });
  write('stitched-grid-0.1/grid.jsonl', line(0.2));
  writeFileSync(path.join(folder, 'trials', 'a', 'result.json'), '{');
  assert.deepEqual(await names(), atFirst);
  write('status.json', { ...identity, state: 'running', trained: ['stitched'] });
  assert.deepEqual(await names(), atFirst, 'the final run has left no checkpoint');
  write('lock.12', mine);
  assert.deepEqual(await states(), [
    { state: 'ready' },
    { state: 'ready' },
    { state: 'waiting' },
    { state: 'waiting' },
  ]);
  write('grid.jsonl', line(0.1));
  write('stitched-grid-0.2/grid.jsonl', line(0.2));
  const [, , running, evaluation] = await states();
  const { touched: _, ...holder } = running!.holder! as Holder & { readonly touched: number };
  assert.deepEqual([running!.state, holder, evaluation], ['running', mine, { state: 'waiting' }]);
});

test('a failure is that of the evaluation; what was trained before it stays', async (t) => {
  const { folder, write } = runFolder(t);
  write('result.json', { ...result, status: 'failed' });
  assert.deepEqual(
    [...(await statesOf(folder, items('a'))).values()],
    [{ state: 'ready' }, { state: 'ready' }, { state: 'waiting' }, { state: 'failed' }],
  );
});
