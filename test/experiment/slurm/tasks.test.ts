/** Which jobs an experiment becomes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemsOf } from '../../../src/experiment/items/item.js';
import type { Recipe } from '../../../src/experiment/recipe.js';
import { splitArrays, taskGroups } from '../../../src/experiment/slurm/tasks.js';

const run = { split: 'train', epochs: 1, steps: 3, warmupSteps: 0 };
const stage = (name: string, rates: readonly number[], anchor?: number) => ({
  ...{ name, learningRates: rates.map((base) => ({ base, peak: base })), final: run },
  ...(rates.length > 1 && { grid: run }),
  ...(anchor !== undefined && { anchor }),
});
const items = (name: string, ...stages: object[]) =>
  itemsOf({ name }, { stages: stages as unknown as Recipe['stages'] });
const shown = (groups: ReturnType<typeof taskGroups>) =>
  groups.map(({ tasks, waitsFor }) => [tasks.map(({ only }) => only.join(' ')), waitsFor]);

test('all rates are one array; what is left of a trial waits for its own', () => {
  const all = ['a', 'b'].flatMap((name) => items(name, stage('stitched', [0.1, 0.2])));
  const rates = (name: string) => [0.1, 0.2].map((rate) => `${name}/stitched-grid-${rate}`);
  assert.deepEqual(shown(taskGroups(all, () => true)), [
    [[...rates('a'), ...rates('b')], []],
    [['a'], rates('a')],
    [['b'], rates('b')],
  ]);
});

test('anchors first: their final runs are one task, between two grids', () => {
  const all = items(
    'a',
    stage('anchor-Ti', [0.1, 0.2], 0),
    stage('anchor-S', [0.1, 0.2], 1),
    stage('stitched', [0.1, 0.2]),
  );
  const rates = (stage: string) => [0.1, 0.2].map((rate) => `a/${stage}-grid-${rate}`);
  assert.deepEqual(shown(taskGroups(all, () => true)), [
    [[...rates('anchor-Ti'), ...rates('anchor-S')], []],
    [['a/anchor-Ti a/anchor-S'], [...rates('anchor-Ti'), ...rates('anchor-S')]],
    [rates('stitched'), ['a/anchor-S']],
    [['a'], ['a/anchor-S', ...rates('stitched')]],
  ]);
});

test('trials without a grid are one array; what is done is not submitted', () => {
  const all = ['a', 'b', 'c'].flatMap((name) => items(name, stage('stitched', [0.1])));
  assert.deepEqual(shown(taskGroups(all, (id) => !id.startsWith('b/'))), [[['a', 'c'], []]]);
  assert.deepEqual(
    taskGroups(all, () => false),
    [],
  );
  const rest = taskGroups(items('a', stage('stitched', [0.1])), (id) => id === 'a/evaluation');
  assert.deepEqual(rest[0]!.tasks, [{ only: ['a'], items: ['a/evaluation'] }]);
});

test('arrays are split at the size that the cluster allows', () => {
  const [group] = taskGroups(
    ['a', 'b', 'c', 'd', 'e'].flatMap((name) => items(name, stage('s', [0.1]))),
    () => true,
  );
  assert.deepEqual(
    splitArrays(group!, 2).map(({ tasks }) => tasks.map(({ only }) => only[0])),
    [['a', 'b'], ['c', 'd'], ['e']],
  );
});
