/** What a free process does next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Item } from '../../../src/experiment/items/item.js';
import type { ItemState } from '../../../src/experiment/items/states.js';
import { isLetGo, nextWork } from '../../../src/experiment/jobs/choice.js';

const trial = (name: string, steps: number): Item[] => [
  { does: 'rate', id: `${name}/r1`, trial: name, stage: 's', rate: 1, waitsFor: [], steps },
  { does: 'rate', id: `${name}/r2`, trial: name, stage: 's', rate: 2, waitsFor: [], steps },
  { does: 'training', id: `${name}/s`, trial: name, stage: 's', waitsFor: [`${name}/r1`, `${name}/r2`], steps },
];
const items = [...trial('short', 1), ...trial('long', 9)];

function next(states: Readonly<Record<string, ItemState['state']>>, ...taken: string[]): string | undefined {
  const all = new Map(items.map(({ id, does }) => [id, { state: does === 'rate' ? 'ready' : 'waiting' } as ItemState]));
  for (const [id, state] of Object.entries(states)) all.set(id, { state });
  return nextWork(items, all, (id) => taken.includes(id));
}

test('the longest trial, then the next, then rates from the last', () => {
  assert.equal(next({}), 'long');
  assert.equal(next({}, 'long'), 'short');
  assert.equal(next({ 'long/r1': 'running' }, 'long', 'short'), 'long/r2');
  assert.equal(next({ 'long/r1': 'running', 'long/r2': 'finished' }, 'long', 'short'), 'short/r2');
  assert.equal(next({ 'long/r1': 'running' }, 'long', 'short', 'long/r2', 'short/r2'), 'short/r1');
});

test('what is done, and what runs elsewhere, is left alone', () => {
  const done = { 'long/r1': 'finished', 'long/r2': 'finished', 'long/s': 'finished' } as const;
  assert.equal(next(done), 'short');
  assert.equal(next({ ...done, 'short/s': 'running', 'short/r1': 'finished', 'short/r2': 'finished' }), undefined);
});

test('what is finished of a trial does not make it longer; a rate that runs elsewhere does not take its trial', () => {
  // 9 steps are left of the long one, whose rates are done; 3 of the short one.
  assert.equal(next({ 'long/r1': 'finished', 'long/r2': 'finished' }), 'long');
  const nearly = [...trial('nearly', 5), ...trial('other', 2)];
  const states = new Map(nearly.map(({ id }) => [id, { state: 'ready' } as ItemState]));
  for (const id of ['nearly/r1', 'nearly/r2']) states.set(id, { state: 'finished' });
  // 5 steps are left of 15, and 6 of 6.
  assert.equal(
    nextWork(nearly, states, () => false),
    'other',
  );
  assert.equal(next({ 'long/r1': 'running' }), 'long');
  assert.equal(next({ 'long/s': 'ready', 'long/r1': 'finished', 'long/r2': 'finished' }, 'long', 'short'), 'short/r2');
});

test('what another command held is let go once nobody holds it, unless it is finished', () => {
  const holder = { host: 'elsewhere', pid: 77, since: '', token: 'x' };
  const letGo = (id: string, states: Readonly<Record<string, ItemState>>) =>
    isLetGo(id, items, new Map(items.map((item) => [item.id, states[item.id] ?? { state: 'ready' }])));
  const [done, running] = [{ state: 'finished' }, { state: 'running', holder }] as const;
  assert.equal(letGo('long', {}), true);
  assert.equal(letGo('long/r1', {}), true);
  assert.equal(letGo('long', { 'long/r2': running }), false, 'a part of the trial is at work');
  assert.equal(letGo('long/r1', { 'long/r2': running }), true);
  assert.equal(letGo('long', { 'long/r1': done, 'long/r2': done }), true);
  assert.equal(letGo('long', { 'long/r1': done, 'long/r2': done, 'long/s': done }), false);
});
