/** The trials that a file means, by their names; and where they are run. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { runFolderOf, trialsOf } from '../../src/config/trials.js';

const experiment = (more: object = {}) =>
  experimentSchema.parse({
    name: 'planned',
    anchors: ['Ti', 'S'].map((name) => ({ name, architecture: name })),
    data: [{ kind: 'species' }, { kind: 'cub-200-2011', name: 'cub', root: '/nowhere/cub' }],
    adaptation: { ranks: [1, 1] },
    ...more,
  });

test('a trial for each data set, method and seed', () => {
  const trials = trialsOf(experiment({ seeds: [0, 3], methods: ['esta', 'sn-net'] }));
  assert.deepEqual(
    trials.map(({ name }) => name),
    [
      ...['species-esta-seed0', 'species-esta-seed3', 'species-sn-net-seed0', 'species-sn-net-seed3'],
      ...['cub-esta-seed0', 'cub-esta-seed3', 'cub-sn-net-seed0', 'cub-sn-net-seed3'],
    ],
  );
  const { dataset, method, seed, ...others } = trials[7]!;
  assert.deepEqual([dataset.name, method, seed, Object.keys(others)], ['cub', 'sn-net', 3, ['name', 'experiment']]);
});

test('an ablation has a trial for each variant', () => {
  const base = experiment({ data: { kind: 'species' } });
  const variants = [0.8, 0.99].map((eta) => ({
    name: `eta, now ${eta}`,
    experiment: { ...base, sampling: { ...base.sampling, eta } },
  }));
  const trials = trialsOf(base, variants);
  assert.deepEqual(
    trials.map(({ name, variant, experiment: { sampling } }) => [name, variant, sampling.eta]),
    [
      ['species-esta-eta-now-0.8-seed0', 'eta, now 0.8', 0.8],
      ['species-esta-eta-now-0.99-seed0', 'eta, now 0.99', 0.99],
    ],
  );
});

test('run folder', () => {
  assert.equal(runFolderOf({ name: 'x' }), path.resolve('runs/x'));
  assert.equal(runFolderOf({ name: 'x' }, 'elsewhere'), path.resolve('elsewhere'));
});
