import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Experiment, experimentSchema, type Method } from '../../../src/config/schema/experiment.js';
import { trialsOf } from '../../../src/config/trials.js';
import { finetuneRecipe } from '../../../src/experiment/derived/finetune-recipe.js';
import {
  type ImageTrialRecipe,
  recipeOf,
  type StageRecipe,
  type TrainingSplit,
} from '../../../src/experiment/recipe.js';

const images = { train: 100, 'train+validation': 120, validation: 20 };

function trialRecipe(method: Method, finalOn: TrainingSplit = 'train') {
  const experiment: Experiment = experimentSchema.parse({
    name: 'x',
    methods: [method],
    anchors: [
      { name: 'Ti', architecture: 'vit_mini_tiny' },
      { name: 'S', architecture: 'vit_mini_small' },
    ],
    data: { kind: 'species' },
    adaptation: { ranks: [4, 8] },
    training: { epochs: 50, batch_size: 32, weight_decay: 0.01, final_on: finalOn },
  });
  return recipeOf(trialsOf(experiment)[0]!, images) as ImageTrialRecipe;
}

test('one stitch learns from the labels, with images, adaptation and weight decay of its trial', () => {
  const recipe = trialRecipe('esta');
  const { stages, ...rest } = finetuneRecipe(recipe, 7, { learningRate: 0.02 }, { epochs: 10 }, images);
  const { stages: before, ...same } = recipe;
  assert.deepEqual(rest, same);
  // 100 images in batches of 32 are 3 steps an epoch; the rate is base x 32 / 256, over a warm-up of a tenth of 30 steps.
  const run = { split: 'train', epochs: 10, steps: 30, warmupSteps: 3 };
  assert.deepEqual(stages, [
    {
      name: 'stitch-7',
      stitch: 7,
      adaptation: { ranks: [4, 8], stitchingLayerRank: 96, stitchBias: true },
      sampling: { strategy: 'uniform' },
      stitchesPerStep: 1,
      deployment: 'all',
      weightDecay: 0.01,
      learningRates: [
        { base: 0.02, peak: 0.0025 },
        { base: 0.006, peak: 0.00075 },
        { base: 0.002, peak: 0.00025 },
      ],
      grid: run,
      final: run,
      testedEpochs: [],
    },
  ]);
  assert.ok(before[0]!.distillation);
});

test('one learning rate needs no choice; an anchor that was trained alone keeps its own adaptation', () => {
  const [stage] = finetuneRecipe(
    trialRecipe('anchor-lora'),
    1,
    { learningRate: 0.02 },
    { epochs: 1, rates: [0.5] },
    images,
  ).stages;
  assert.deepEqual(stage!.learningRates, [{ base: 0.5, peak: 0.0625 }]);
  assert.equal(stage!.grid, undefined);
  assert.deepEqual(stage!.adaptation, { ranks: [4, 8], stitchingLayerRank: 96, stitchBias: false });
});

test('an anchor that was trained alone goes on at shares of the rate of its own stage', () => {
  const recipe = trialRecipe('anchor-lora');
  const none = { anchors: 0, lowRank: 0, stitchingLayers: 0, stitchBias: 0, heads: 0, total: 0 };
  const stage = (name: string, learningRate: number) => ({
    ...{ name, learningRate, epochs: 1, trainSeconds: 1, trainable: none },
  });
  const result = { learningRate: 0.02, stages: [stage('anchor-Ti', 0.5), stage('anchor-S', 0.02)] };
  const basesOf = (stitch: number) =>
    finetuneRecipe(recipe, stitch, result, { epochs: 1 }, images).stages[0]!.learningRates.map(({ base }) => base);
  assert.deepEqual(basesOf(0), [0.5, 0.15, 0.05]);
  assert.deepEqual(basesOf(1), [0.02, 0.006, 0.002]);
});

test('validation images that were trained on, or that are not there, choose nothing', () => {
  const both = trialRecipe('esta', 'train+validation');
  const [stage] = finetuneRecipe(both, 7, { learningRate: 0.02 }, { epochs: 1 }, images).stages;
  assert.deepEqual(stage!.learningRates, [{ base: 0.002, peak: 0.00025 }]);
  assert.deepEqual(stage!.final, { split: 'train+validation', epochs: 1, steps: 3, warmupSteps: 0 });
  const rates = [1e-3, 1e-2];
  assert.throws(() => finetuneRecipe(both, 7, { learningRate: 0.02 }, { epochs: 1, rates }, images), {
    name: 'RequestError',
    message: /one of 0.001, 0.01: the run was trained on its validation images too/,
  });
  const twice = [1e-2, 1e-3, 1e-2];
  assert.throws(
    () => finetuneRecipe(trialRecipe('esta'), 7, { learningRate: 0.02 }, { epochs: 1, rates: twice }, images),
    { name: 'RequestError', message: '--rate: 0.01 is given twice' },
  );
  const none = { ...images, validation: 0 };
  assert.throws(() => finetuneRecipe(trialRecipe('esta'), 7, { learningRate: 0.02 }, { epochs: 1, rates }, none), {
    message: /there are no validation images/,
  });
});

test('a language model keeps its texts, clipping, dropout and decay; distillation and scores end with shared training', () => {
  const experiment = experimentSchema.parse({
    name: 'x',
    anchors: ['llama_7b', 'llama_13b'].map((name) => ({ name, architecture: name, checkpoint: `/nowhere/${name}` })),
    data: { kind: 'word-tasks' },
    adaptation: { ranks: [8, 8] },
    training: { epochs: 3, batch_size: 32 },
    text: { clip_norm: 0.5, dropout: 0.05, micro_batch_size: 4 },
  });
  const recipe = recipeOf(trialsOf(experiment)[0]!, images);
  const { texts, stages } = finetuneRecipe(recipe, 7, { learningRate: 0.3 }, { epochs: 4 }, images);
  assert.deepEqual(texts, recipe.texts);
  const [{ name, clipNorm, dropout, grid, final, learningRates, importanceMomentum, distillation }] = stages as [
    StageRecipe,
  ];
  assert.deepEqual(
    [name, clipNorm, dropout, importanceMomentum, distillation],
    ['stitch-7', 0.5, 0.05, undefined, undefined],
  );
  // 12 steps of 32 of 100 texts, a tenth of them rising; a line to 0 as alpaca-lora has it.
  assert.deepEqual(final, { split: 'train', epochs: 4, steps: 12, warmupSteps: 1, decay: 'linear' });
  assert.deepEqual(grid, final);
  assert.deepEqual(
    learningRates.map(({ base }) => base),
    [0.3, 0.09, 0.03],
  );
});
