/** What can be run alone, and what waits for what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { itemsOfPlan } from '../../../src/experiment/items/item.js';
import { namedItems } from '../../../src/experiment/items/run-items.js';
import { planOf } from '../../../src/experiment/plan.js';
import { RequestError } from '../../../src/shared/errors.js';

const experiment = (methods: readonly string[], rates: readonly number[]) =>
  experimentSchema.parse({
    name: 'items',
    methods,
    anchors: [
      { name: 'Ti', architecture: 'vit_mini_tiny' },
      { name: 'S', architecture: 'vit_mini_small' },
    ],
    data: { kind: 'species', classes: 2, train_images: 10 },
    adaptation: { ranks: [2, 2] },
    training: { epochs: 4, grid_epochs: 2, batch_size: 5, base_learning_rates: rates },
  });

const itemsOf = async (methods: readonly string[], rates: readonly number[]) =>
  itemsOfPlan(await planOf(experiment(methods, rates), 'runs/items'));

test('a grid: rates wait for nothing, the final run for its rates, the evaluation for the final run', async () => {
  const items = await itemsOf(['esta'], [0.1, 0.2]);
  const t = 'species-esta-seed0';
  // 20 images in batches of 5: 4 steps an epoch.
  assert.deepEqual(
    items.map(({ id, does, waitsFor, steps }) => [id, does, waitsFor, steps]),
    [
      [`${t}/stitched-grid-0.1`, 'rate', [], 8],
      [`${t}/stitched-grid-0.2`, 'rate', [], 8],
      [`${t}/stitched`, 'training', [`${t}/stitched-grid-0.1`, `${t}/stitched-grid-0.2`], 16],
      [`${t}/evaluation`, 'evaluation', [`${t}/stitched`], 0],
    ],
  );
});

test('anchors that are stitched once they are adapted come first, one final run after the other', async () => {
  const items = await itemsOf(['adapt-then-stitch'], [0.1, 0.2]);
  const t = 'species-adapt-then-stitch-seed0';
  const waits = Object.fromEntries(items.map(({ id, waitsFor }) => [id.slice(t.length + 1), waitsFor]));
  const ids = (...names: string[]) => names.map((name) => `${t}/${name}`);
  assert.deepEqual(waits, {
    'anchor-Ti-grid-0.1': [],
    'anchor-Ti-grid-0.2': [],
    'anchor-Ti': ids('anchor-Ti-grid-0.1', 'anchor-Ti-grid-0.2'),
    'anchor-S-grid-0.1': [],
    'anchor-S-grid-0.2': [],
    'anchor-S': ids('anchor-Ti', 'anchor-S-grid-0.1', 'anchor-S-grid-0.2'),
    'stitched-grid-0.1': ids('anchor-S'),
    'stitched-grid-0.2': ids('anchor-S'),
    stitched: ids('anchor-S', 'stitched-grid-0.1', 'stitched-grid-0.2'),
    evaluation: ids('stitched'),
  });
});

test('a single rate is no grid', async () => {
  const items = await itemsOf(['esta'], [0.1]);
  assert.deepEqual(
    items.map(({ does, waitsFor }) => [does, waitsFor.length]),
    [
      ['training', 0],
      ['evaluation', 1],
    ],
  );
});

test('items go by id, number, and name of the trial; others are refused', async () => {
  const items = await itemsOf(['esta'], [0.1, 0.2]);
  const t = 'species-esta-seed0';
  assert.deepEqual(namedItems(items, ['3', t, `${t}/stitched`]), [`${t}/evaluation`, t, `${t}/stitched`]);
  for (const wrong of ['4', 'species', `${t}/stitched-grid-0.3`]) {
    assert.throws(
      () => namedItems(items, [wrong]),
      (error) => error instanceof RequestError && error.message.startsWith(`--only ${wrong}: there is no such item`),
    );
  }
});
