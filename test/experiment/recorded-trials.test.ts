/** What is asked for, beside what a run folder holds: normalisation of the anchors, variants, and finished trials. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { requestedRun } from '../../src/experiment/recorded-trials.js';
import { architectureNamed } from '../../src/models/architectures.js';
import { writeSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { initialWeights, stateDictOf } from '../../src/models/weights.js';
import { Random } from '../../src/shared/random.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';
import { hostEngine } from './trial/host-engine.js';

const published = { mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] };

/** Anchors that were pretrained with other values than their architecture's. */
async function given(t: TestContext) {
  const folder = temporaryFolder(t);
  const anchors: object[] = [];
  for (const size of ['tiny', 'small']) {
    const known = architectureNamed(`vit_mini_${size}_depth4`);
    const checkpoint = path.join(folder, size);
    mkdirSync(checkpoint);
    const weights = stateDictOf(known, initialWeights(known, Random.of(0, size)));
    await writeSafetensors(path.join(checkpoint, 'model.safetensors'), weights);
    writeFileSync(path.join(checkpoint, 'config.json'), JSON.stringify({ pretrained_cfg: published }));
    anchors.push({ name: size, architecture: known.name, checkpoint });
  }
  const experiment = (more: object = {}) =>
    experimentSchema.parse({
      name: 'asked',
      anchors,
      data: { kind: 'species', classes: 2, train_images: 4 },
      adaptation: { ranks: [2, 2] },
      training: { batch_size: 4, base_learning_rates: [0.1] },
      ...more,
    });
  const said: string[] = [];
  const surroundings = {
    ...{ runFolder: path.join(folder, 'run'), engine: hostEngine({}), cacheFolder: path.join(folder, 'cache') },
    say: (note: string) => void said.push(note),
  };
  return { experiment, surroundings, said };
}

const trialOf = (seed: number) => `species-esta-seed${seed}`;

test('trials are normalised as their anchors; variants that say something of their own about images keep it', async (t) => {
  const { experiment, surroundings, said } = await given(t);
  const asked = experiment({ seeds: [0, 1] });
  const whole = await requestedRun(asked, [], surroundings);
  assert.deepEqual(said, [
    'images are normalised as the anchors were pretrained: mean 0.1, 0.2, 0.3, std 0.4, 0.5, 0.6',
  ]);
  assert.deepEqual(whole.variants, []);
  const { mean, std } = whole.experiment.preprocessing;
  assert.deepEqual({ mean, std }, published);
  assert.deepEqual(
    whole.trials.map(({ trial, finished, recorded }) => [
      trial.name,
      trial.experiment.preprocessing.mean,
      finished,
      recorded,
    ]),
    [0, 1].map((seed) => [trialOf(seed), published.mean, undefined, undefined]),
  );
  const own = { mean: [0.5, 0.5, 0.5], std: [1, 1, 1] };
  const variants = [
    { name: 'as it is', experiment: experiment({ sampling: { eta: 0.8 } }) },
    { name: 'own', experiment: experiment({ preprocessing: own }) },
  ];
  const compared = await requestedRun(asked, variants, surroundings);
  assert.deepEqual(
    compared.variants.map(({ name, experiment: { preprocessing, sampling } }) => [
      name,
      preprocessing.mean,
      sampling.eta,
    ]),
    [
      ['as it is', published.mean, 0.8],
      ['own', own.mean, asked.sampling.eta],
    ],
  );
  assert.deepEqual(
    compared.trials.map(({ trial }) => [trial.variant, trial.experiment.preprocessing.std]),
    [
      ['as it is', published.std],
      ['own', own.std],
    ],
  );
});

test('only what is asked for is looked at; what is finished needs nothing that lies on disk', async (t) => {
  const { experiment, surroundings, said } = await given(t);
  const asked = experiment({ seeds: [0, 1] });
  const one = await requestedRun(asked, [], { ...surroundings, isAsked: (name) => name === trialOf(1) });
  assert.deepEqual(
    one.trials.map(({ trial }) => trial.name),
    [trialOf(1)],
  );
  const folder = path.join(surroundings.runFolder, 'trials', trialOf(0));
  mkdirSync(folder, { recursive: true });
  const result = {
    ...{ version: 1, dataset: 'species', method: 'esta', seed: 0, learningRate: 0.1, status: 'finished' },
    ...{ stitches: [], trainSeconds: 1, epochs: 1 },
  };
  writeFileSync(path.join(folder, 'result.json'), JSON.stringify(result));
  const gone = experiment({
    anchors: ['tiny', 'small'].map((name) => ({ name, architecture: `vit_mini_${name}`, checkpoint: '/nowhere' })),
    data: { kind: 'species', classes: 2, train_images: 1 },
  });
  said.length = 0;
  const { trials, experiment: same } = await requestedRun(gone, [], surroundings);
  assert.deepEqual([same, said], [gone, []]);
  assert.deepEqual(trials[0]!.finished, {
    ...{ result, note: ', by a version of esta that did not record with what' },
  });
  assert.equal(trials[0]!.recorded, undefined);
  await assert.rejects(requestedRun({ ...gone, seeds: [0, 1] }, [], surroundings), {
    ...{ name: 'RequestError', message: /\/nowhere/ },
  });
  // Both are asked for, and one is to be run: its data must be there.
  await assert.rejects(requestedRun(experiment({ seeds: [0, 1], training: { batch_size: 64 } }), [], surroundings), {
    message: /8 training images do not fill a batch/,
  });
});
