/** What each shipped experiment file means, written out by hand from the file, the paper and the official image counts. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { experimentSchema } from '../../src/config/schema/experiment.js';
import { runFolderOf, trialsOf } from '../../src/config/trials.js';
import { planOf } from '../../src/experiment/plan.js';
import { recipeOf, unknownImages } from '../../src/experiment/recipe.js';
import type { AblationName } from '../../src/experiment/studies/ablation.js';
import { studyOf } from '../../src/experiment/studies/study.js';
import { projectRoot } from '../command-line.js';

type Plain = Record<string, unknown>;

/** The recipes of a file's trials by their names, as `--dry-run --json` prints them. */
async function recipesOf(file: string, study?: AblationName): Promise<Record<string, Plain>> {
  const { config } = await loadExperiment(path.join(projectRoot, 'experiments', file));
  const { experiment, variants } = study ? studyOf(study, config, 1) : { experiment: config, variants: [] };
  const { trials } = await planOf(experiment, runFolderOf(experiment), variants);
  const recipes = trials.map(({ name, recipe }) => [name, recipe] as const);
  return JSON.parse(JSON.stringify(Object.fromEntries(recipes))) as Record<string, Plain>;
}

const vit = (name: string, architecture: string) => ({
  name,
  architecture,
  checkpoint: `hf-hub:timm/${architecture}.augreg_in21k`,
});
const viTs = [vit('Ti', 'vit_tiny_patch16_224'), vit('S', 'vit_small_patch16_224'), vit('B', 'vit_base_patch16_224')];
const mini = (name: string, architecture: string) => ({ name, architecture, checkpoint: 'embedded' });
const miniViTs = [mini('Ti', 'vit_mini_tiny'), mini('S', 'vit_mini_small'), mini('B', 'vit_mini_base')];

/** timm's augreg weights expect values from -1 to 1. */
const augreg = { interpolation: 'bicubic', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const imagenet = { interpolation: 'bicubic', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Supplement A, FGVC and CIFAR-100: resized, random crop to 224, flip. */
const paperImages = {
  preprocessing: { resize: { size: 256, keepAspect: true }, crop: 224, ...augreg },
  augmentation: { crop: 'random', flip: true },
  batchSize: 64,
  evaluationBatchSize: 64,
};
/** The embedded anchors read 64 x 64 pixels. */
const miniImages = (batchSize: number) => ({
  preprocessing: { resize: { size: 72, keepAspect: true }, crop: 64, ...augreg },
  augmentation: { crop: 'random', flip: true },
  batchSize,
  evaluationBatchSize: 64,
});
const stitching = (count = 14) => ({ kernel: 2, stride: 1, fitImages: 100, bins: { count } });
const always = { choiceSplit: 'validation', testSplit: 'test', checkpointMinutes: 5 };

/** Supplement A: grid {1e-4, 2e-4, 1e-3, 2e-3}, times 64 / 256; weight decay 1e-4. */
const paperRates = {
  weightDecay: 1e-4,
  learningRates: [
    { base: 1e-4, peak: 2.5e-5 },
    { base: 2e-4, peak: 5e-5 },
    { base: 1e-3, peak: 2.5e-4 },
    { base: 2e-3, peak: 5e-4 },
  ],
};
const run = (epochs: number, steps: number, warmupSteps: number, split = 'train') => ({
  split,
  epochs,
  steps,
  warmupSteps,
});
/** 100 epochs in the grid and in the final run, the first ten with a rising learning rate. */
const paperRuns = (stepsOfAnEpoch: number) => ({
  grid: run(100, 100 * stepsOfAnEpoch, 10 * stepsOfAnEpoch),
  final: run(100, 100 * stepsOfAnEpoch, 10 * stepsOfAnEpoch),
});

/** ESTA: PST, task-specific sampling after a tenth of the epochs, in-place distillation, deployment by importance. */
const esta = (ranks: number[], stitchingLayerRank: number, warmupEpochs: number) => ({
  name: 'stitched',
  adaptation: { ranks, stitchingLayerRank, stitchBias: true },
  sampling: { strategy: 'task-specific', warmupEpochs, temperature: 1 },
  stitchesPerStep: 1,
  importanceMomentum: 0.9,
  distillation: { temperature: 1, weight: 1 },
  deployment: 'importance',
  testedEpochs: [],
});
/** SN-Net: everything is trained on labels, uniformly sampled; all stitches are evaluated to choose. */
const snNet = {
  name: 'stitched',
  adaptation: 'full',
  sampling: { strategy: 'uniform' },
  stitchesPerStep: 1,
  deployment: 'validation',
  testedEpochs: [],
};
/** An anchor alone, with low-rank updates. */
const alone = (name: string, anchor: number, ranks: number[], stitchingLayerRank: number) => ({
  name: `anchor-${name}`,
  anchor,
  adaptation: { ranks, stitchingLayerRank, stitchBias: false },
  sampling: { strategy: 'uniform' },
  stitchesPerStep: 1,
  deployment: 'all',
  testedEpochs: [],
});

/** Whole batches of 64 in the training parts: 5395, 21536, 1020, 10800 and 7330 images. */
const fgvcSteps = {
  'cub-200-2011': 84,
  nabirds: 336,
  'oxford-flowers-102': 15,
  'stanford-dogs': 168,
  'stanford-cars': 114,
};
const paper = { seed: 0, anchors: viTs, images: paperImages, stitching: stitching(), ...always };
/** In the bins of Table I. */
const tableOne = { ...paper, stitching: { ...stitching(), bins: { count: 14, edges: [31, 42] } } };

test('fgvc.yaml: five trials of ESTA with the ranks of Table I', async () => {
  const expected = Object.entries(fgvcSteps).map(([dataset, steps]) => [
    `${dataset}-esta-seed0`,
    {
      ...tableOne,
      stages: [{ ...esta([32, 16, 8], 96, 10), ...paperRates, ...paperRuns(steps) }],
    },
  ]);
  assert.deepEqual(await recipesOf('fgvc.yaml'), Object.fromEntries(expected));
});

test('cifar100.yaml: the ranks that Table I has for CIFAR-100', async () => {
  // 45000 images: 703 whole batches.
  const stages = [{ ...esta([2, 8, 8], 192, 10), ...paperRates, ...paperRuns(703) }];
  assert.deepEqual(await recipesOf('cifar100.yaml'), { 'cifar-100-esta-seed0': { ...paper, stages } });
});

test('vtab1k.yaml: images are only resized; chosen on train800, trained on train800val200', async () => {
  const recipes = await recipesOf('vtab1k.yaml');
  assert.equal(Object.keys(recipes).length, 19);
  const images = {
    ...paperImages,
    preprocessing: { resize: { size: 224, keepAspect: false }, crop: 224, ...augreg },
    augmentation: { crop: 'random', flip: false }, // 224 of 224: there is nothing to draw
  };
  const runs = { grid: run(100, 1200, 120), final: run(100, 1500, 150, 'train+validation') };
  const expected = { ...paper, images, stages: [{ ...esta([32, 16, 8], 96, 10), ...paperRates, ...runs }] };
  for (const [name, recipe] of Object.entries(recipes)) assert.deepEqual(recipe, expected, name);
});

test('fewshot-cars.yaml: ESTA, SN-Net and anchors alone on few shots of 196 cars', async () => {
  const recipes = await recipesOf('fewshot-cars.yaml');
  assert.equal(Object.keys(recipes).length, 4 * 3 * 3);
  // 1, 4, 8 and 16 images of each car in batches of 64.
  for (const [shots, steps] of Object.entries({ 1: 3, 4: 12, 8: 24, 16: 49 })) {
    const long = { ...paperRates, ...paperRuns(steps) };
    const stages: Record<string, object[]> = {
      esta: [{ ...esta([32, 16, 8], 96, 10), ...long }],
      'sn-net': [{ ...snNet, ...long }],
      'anchor-lora': ['Ti', 'S', 'B'].map((name, index) => ({ ...alone(name, index, [32, 16, 8], 96), ...long })),
    };
    for (const seed of [0, 1, 2]) {
      for (const method of Object.keys(stages)) {
        const name = `stanford-cars-${shots}-shot-${method}-seed${seed}`;
        assert.deepEqual(recipes[name], { ...tableOne, seed, stages: stages[method] }, name);
      }
    }
  }
});

test('convnext-fgvc.yaml: ConvNeXts, which were pretrained with the normalisation of ImageNet', async () => {
  const recipes = await recipesOf('convnext-fgvc.yaml');
  assert.equal(Object.keys(recipes).length, 5 * 3);
  const names = { T: 'convnext_tiny', S: 'convnext_small', B: 'convnext_base' };
  const anchors = Object.entries(names).map(([name, architecture]) => ({
    name,
    architecture,
    checkpoint: `hf-hub:timm/${architecture}.fb_in22k`,
  }));
  const images = {
    ...paperImages,
    preprocessing: { resize: { size: 256, keepAspect: true }, crop: 224, ...imagenet },
  };
  for (const [dataset, steps] of Object.entries(fgvcSteps)) {
    const long = { ...paperRates, ...paperRuns(steps) };
    const whole = (stages: object[]) => ({ ...paper, anchors, images, stages });
    const single = ['T', 'S', 'B'].map((name, index) => ({ ...alone(name, index, [8, 4, 3], 96), ...long }));
    assert.deepEqual(recipes[`${dataset}-esta-seed0`], whole([{ ...esta([8, 4, 3], 96, 10), ...long }]));
    assert.deepEqual(recipes[`${dataset}-sn-net-seed0`], whole([{ ...snNet, ...long }]));
    assert.deepEqual(recipes[`${dataset}-anchor-lora-seed0`], whole(single));
  }
});

test('gradient-angles.yaml: two epochs, uniform, labels alone; compared after the first on the source and downstream', async () => {
  const stage = (domain: string, steps: Plain) => ({
    name: 'stitched',
    adaptation: { ranks: [32, 16], stitchingLayerRank: 96, stitchBias: true },
    sampling: { strategy: 'uniform' },
    stitchesPerStep: 1,
    importanceMomentum: 0.9,
    deployment: 'importance',
    weightDecay: 1e-4,
    learningRates: [{ base: 1e-3, peak: 2.5e-4 }],
    final: { split: 'train', epochs: 2, ...steps },
    testedEpochs: [],
    gradientAngles: { epoch: 1, stitches: 32, batches: 8, domain },
  });
  const whole = (domain: string, steps: Plain) => ({
    ...paper,
    anchors: viTs.slice(0, 2),
    stages: [stage(domain, steps)],
  });
  // A tenth of two epochs rounds to none: no warm-up. Images of ImageNet-1k are not counted before they are read.
  assert.deepEqual(await recipesOf('gradient-angles.yaml'), {
    'imagenet-1k-esta-seed0': whole('source', {}),
    'stanford-cars-esta-seed0': whole('downstream', { steps: 228, warmupSteps: 0 }),
    'cub-200-2011-esta-seed0': whole('downstream', { steps: 168, warmupSteps: 0 }),
    'nabirds-esta-seed0': whole('downstream', { steps: 672, warmupSteps: 0 }),
  });
});

test('the ablation files: each variant changes what its name says, and nothing else', async () => {
  const long = { ...paperRates, ...paperRuns(fgvcSteps['stanford-cars']) };
  const usual = { ...esta([32, 16, 8], 96, 10), ...long };
  const { distillation: _, ...untaught } = usual;
  const ranks = (ranks: number[], stitchingLayerRank: number, more: object = {}) => ({
    ...usual,
    adaptation: { ranks, stitchingLayerRank, stitchBias: false, ...more },
  });
  const tested = { testedEpochs: [25, 50, 75] };
  const adapted = ['Ti', 'S', 'B'].map((name, index) => ({ ...alone(name, index, [32, 16, 8], 96), ...long }));
  const studies: Record<string, Record<string, object[]>> = {
    eta: {
      'esta-eta-0.8': [{ ...usual, importanceMomentum: 0.8 }],
      'esta-eta-0.9': [usual],
      'esta-eta-0.99': [{ ...usual, importanceMomentum: 0.99 }],
    },
    distillation: { 'esta-with-distillation': [usual], 'esta-without-distillation': [untaught] },
    'adapt-then-stitch': {
      'esta-adapt-and-stitch': [{ ...usual, ...tested }],
      'adapt-then-stitch-adapt-then-stitch': [...adapted, { ...usual, ...tested }],
      'adapt-then-sn-net-adapt-then-SN-Net': [...adapted, { ...snNet, ...long, ...tested }],
    },
    lora: {
      'esta-PST': [usual],
      'naive-lora-LoRA-ranks-x-0.5': [ranks([16, 8, 4], 48)],
      'naive-lora-LoRA-ranks-x-1': [ranks([32, 16, 8], 96)],
      'naive-lora-LoRA-ranks-x-2': [ranks([64, 32, 16], 192)],
      'ss-lora-SS-LoRA-rank-1': [ranks([1, 1, 1], 1, { ownLowRank: true })],
      'ss-lora-SS-LoRA-rank-2': [ranks([2, 2, 2], 2, { ownLowRank: true })],
    },
  };
  for (const [study, variants] of Object.entries(studies)) {
    const recipes = await recipesOf(`ablation-${study}.yaml`, study as AblationName);
    assert.equal(Object.keys(recipes).length, 5 * 3 * Object.keys(variants).length, study);
    for (const [variant, stages] of Object.entries(variants)) {
      const name = `stanford-cars-${variant}-seed2`;
      assert.deepEqual(recipes[name], { ...tableOne, seed: 2, stages }, name);
    }
  }
});

/** Recipes of the small experiments: by file, the sizes that its comments name. */
const small = (batchSize: number, anchors: readonly object[], bins?: number) => ({
  seed: 0,
  anchors,
  images: miniImages(batchSize),
  stitching: stitching(bins),
  ...always,
});

test('quickstart.yaml and flowers12.yaml', async () => {
  const final = run(9, 684, 76); // 36 x 34 images in batches of 16; 0.9 epochs of warm-up round to one
  const rate = { weightDecay: 1e-4, learningRates: [{ base: 4e-2, peak: 2.5e-3 }], final };
  const stages = [{ ...esta([8, 8], 16, 1), stitchesPerStep: 3, sandwich: true, leavesOutBeaten: true, ...rate }];
  assert.deepEqual(await recipesOf('quickstart.yaml'), {
    'species-esta-seed0': { ...small(16, miniViTs.slice(0, 2)), stages },
  });

  // How many photographs a folder has is not known before it is read: steps are left out.
  const flowers = {
    ...esta([8, 8, 8], 16, 3),
    ...{ stitchesPerStep: 3, sandwich: true, deploysAnchors: true, weightDecay: 1e-4 },
    learningRates: [
      { base: 1e-2, peak: 1.25e-3 },
      { base: 3e-2, peak: 3.75e-3 },
    ],
    grid: { split: 'train', epochs: 4 },
    final: { split: 'train', epochs: 25 },
  };
  const expected = { ...small(32, miniViTs), stages: [flowers] };
  assert.deepEqual(await recipesOf('flowers12.yaml'), { 'flowers12-esta-seed0': expected });
});

test('images are not resized to less than the anchors read', async () => {
  const { config } = await loadExperiment(path.join(projectRoot, 'experiments/quickstart.yaml'));
  const recipe = (preprocessing: object) =>
    recipeOf(trialsOf(experimentSchema.parse({ ...config, preprocessing }))[0]!, unknownImages);
  assert.throws(() => recipe({ resize: 32 }), {
    name: 'RequestError',
    message: 'preprocessing.resize: expected at least 64, the side that the anchors read, received 32',
  });
  assert.equal(recipe({ resize: 64 }).images!.preprocessing.crop, 64);
});

for (const [what, key, of] of [
  ['what is beaten is left out', 'leave_out_beaten', 'leavesOutBeaten'],
  ['anchors are deployed', 'deploy_anchors', 'deploysAnchors'],
] as const) {
  test(`${what} of the stitched networks alone, whatever chooses them`, async () => {
    const { config } = await loadExperiment(path.join(projectRoot, 'experiments/quickstart.yaml'));
    const stagesThat = (value: boolean) =>
      trialsOf(
        experimentSchema.parse({
          ...config,
          methods: ['esta', 'sn-net', 'naive-lora', 'anchor-lora', 'adapt-then-stitch', 'adapt-then-sn-net'],
          evaluation: { ...config.evaluation, [key]: value },
        }),
      ).map((trial) => [trial.method, recipeOf(trial, unknownImages).stages.map((stage) => stage[of] ?? false)]);
    assert.deepEqual(stagesThat(true), [
      ['esta', [true]],
      ['sn-net', [true]],
      ['naive-lora', [true]],
      ['anchor-lora', [false, false]],
      ['adapt-then-stitch', [false, false, true]],
      ['adapt-then-sn-net', [false, false, true]],
    ]);
    assert.ok(stagesThat(false).every(([_, stages]) => (stages as boolean[]).every((does) => !does)));
  });
}

test('the files of mini/', async () => {
  const rates = (batch: number, ...bases: number[]) => ({
    weightDecay: 1e-4,
    learningRates: bases.map((base) => ({ base, peak: base * (batch / 256) })),
  });
  const cifar = await recipesOf('mini/cifar100.yaml');
  // 100 x 40 images: 125 batches of 32; the grid warms up for an eighth, too.
  const cifarRuns = { grid: run(1, 125, 16), final: run(8, 1000, 125) };
  assert.deepEqual(cifar['species-esta-seed0'], {
    ...small(32, miniViTs),
    stages: [{ ...esta([2, 8, 8], 32, 1), ...rates(32, 3e-2, 1e-1), ...cifarRuns }],
  });

  const fgvc = await recipesOf('mini/fgvc.yaml');
  // 12 x 50 images: 37 whole batches of 16.
  const fgvcRuns = { grid: run(3, 111, 11), final: run(10, 370, 37) };
  assert.deepEqual(fgvc['species-4-esta-seed0'], {
    ...small(16, miniViTs),
    stages: [{ ...esta([32, 16, 8], 16, 1), ...rates(16, 3e-2, 1e-1), ...fgvcRuns }],
  });

  const study = await recipesOf('mini/study.yaml');
  const studyRuns = { ...rates(16, 1e-2, 3e-2, 1e-1), ...fgvcRuns };
  const studyOf = (stages: object[]) => ({ ...small(16, miniViTs.slice(0, 2), 8), stages });
  assert.deepEqual(study['species-esta-seed0'], studyOf([{ ...esta([8, 8], 16, 1), ...studyRuns }]));
  assert.deepEqual(study['species-sn-net-seed0'], studyOf([{ ...snNet, ...studyRuns }]));
  assert.deepEqual(
    study['species-b-anchor-lora-seed0'],
    studyOf(['Ti', 'S'].map((name, index) => ({ ...alone(name, index, [8, 8], 16), ...studyRuns }))),
  );

  const vtab = await recipesOf('mini/vtab1k.yaml');
  // 12 x 40 training and 12 x 10 validation images: 37 whole batches of 16 together; only resized.
  const vtabImages = {
    ...miniImages(16),
    preprocessing: { resize: { size: 64, keepAspect: false }, crop: 64, ...augreg },
    augmentation: { crop: 'random', flip: false },
  };
  assert.deepEqual(vtab['species-a-esta-seed0'], {
    ...small(16, miniViTs.slice(0, 2), 8),
    images: vtabImages,
    stages: [{ ...esta([8, 8], 16, 1), ...rates(16, 1e-1), final: run(8, 296, 37, 'train+validation') }],
  });

  const fewShot = await recipesOf('mini/fewshot.yaml');
  // 12 x 8 images: 8 batches of 12.
  const fewRuns = { grid: run(20, 160, 16), final: run(60, 480, 48) };
  assert.deepEqual(fewShot['species-8-shot-sn-net-seed2'], {
    ...small(12, miniViTs.slice(0, 2), 8),
    seed: 2,
    stages: [{ ...snNet, ...rates(12, 3e-2, 1e-1), ...fewRuns }],
  });

  const angles = await recipesOf('mini/gradient-angles.yaml');
  // 24 x 60 images: 45 batches of 32.
  const gradientAngles = { epoch: 1, stitches: 32, batches: 4, domain: 'downstream' };
  assert.deepEqual(angles['species-esta-seed0'], {
    ...small(32, miniViTs),
    stages: [{ ...esta([8, 8, 8], 16, 1), ...rates(32, 3e-2), final: run(2, 90, 0), gradientAngles }],
  });
  assert.deepEqual((angles['tiny-imagenet-esta-seed0']!['stages'] as Plain[])[0]!['gradientAngles'], {
    ...gradientAngles,
    domain: 'source',
  });

  const convNeXt = await recipesOf('mini/convnext.yaml');
  const [network] = convNeXt['species-esta-seed1']!['stages'] as Plain[];
  assert.deepEqual(network, {
    ...esta([8, 4, 3], 16, 3),
    ...rates(16, 3e-2, 1e-1, 3e-1),
    grid: run(6, 222, 22),
    final: run(30, 1110, 111),
  });
});

test('shares of the epochs are rounded to epochs between the start and the end; a folder has no known steps', async () => {
  const experiment = experimentSchema.parse({
    name: 'x',
    anchors: ['tiny', 'small'].map((name) => ({ name, architecture: `vit_mini_${name}` })),
    data: { kind: 'species' },
    adaptation: { ranks: [1, 1] },
    training: { epochs: 10 },
    evaluation: { test_at: [0.04, 0.5, 0.52, 0.75, 0.96] },
  });
  const [trial] = trialsOf(experiment);
  const [stage] = recipeOf(trial!, unknownImages).stages;
  assert.deepEqual(stage!.testedEpochs, [5, 8]);
  assert.deepEqual([stage!.final.steps, stage!.grid!.warmupSteps], [undefined, undefined]);
  // 130 images: two whole batches of 64.
  const counted = recipeOf(trial!, { train: 130, 'train+validation': 200 }).stages[0]!;
  assert.deepEqual([counted.final.steps, counted.final.warmupSteps, counted.grid!.steps], [20, 2, 20]);
});

test('runs of the grid and of anchors alone warm up for the same share as the stitched network', () => {
  const stages = (training: object, text: object = {}) => {
    const experiment = experimentSchema.parse({
      name: 'x',
      anchors: ['llama_7b', 'llama_13b'].map((name) => ({ name, architecture: name, checkpoint: `/nowhere/${name}` })),
      data: { kind: 'word-tasks' },
      methods: ['adapt-then-stitch'],
      adaptation: { ranks: [8, 8] },
      training: { epochs: 20, batch_size: 8, base_learning_rates: [0.1, 0.2], ...training },
      text: { weights: 'float32', ...text },
    });
    const recipe = recipeOf(trialsOf(experiment)[0]!, { train: 40, 'train+validation': 40 });
    return recipe.stages.map(({ name, grid, final }) => [
      name,
      grid!.steps,
      grid!.warmupSteps,
      final.steps,
      final.warmupSteps,
    ]);
  };
  // Five steps an epoch; the warm-up takes a tenth.
  assert.deepEqual(stages({ grid_epochs: 4, anchor_epochs: 60 }), [
    ['anchor-llama_7b', 20, 2, 300, 30],
    ['anchor-llama_13b', 20, 2, 300, 30],
    ['stitched', 20, 2, 100, 10],
  ]);
  assert.deepEqual(stages({ grid_epochs: 1, warmup_epochs: 20 }).at(-1), ['stitched', 5, 5, 100, 100]);
  assert.deepEqual(stages({ grid_epochs: 2 }, { warmup_steps: 30 }).at(-1), ['stitched', 10, 3, 100, 30]);
});

test('images are enlarged by 256 / 224 before the crop; given edges of bins and clipping reach the recipe', () => {
  const of = (more: object) => {
    const experiment = experimentSchema.parse({
      name: 'x',
      anchors: ['tiny', 'small'].map((name) => ({ name, architecture: `vit_mini_${name}` })),
      data: { kind: 'species' },
      adaptation: { ranks: [1, 1] },
      ...more,
    });
    return recipeOf(trialsOf(experiment)[0]!, unknownImages);
  };
  const { images, stitching, stages } = of({ preprocessing: { crop: 48 } });
  assert.deepEqual(images!.preprocessing.resize?.size, 55); // 48 x 256 / 224 = 54.86
  assert.deepEqual(stitching.bins, { count: 14 });
  assert.ok(!['clipNorm', 'dropout', 'patchDropout', 'gradientAngles'].some((key) => key in stages[0]!));
  assert.ok(!('decay' in stages[0]!.final));
  assert.deepEqual(of({ sampling: { bins: 4, bin_edges: [2, 20] } }).stitching.bins, {
    ...{ count: 4, edges: [2, 20] },
  });
});

test('vision transformers leave out patches in every stage, networks of convolutions cannot', () => {
  const of = (rate: number, ...architectures: readonly string[]) => {
    const experiment = experimentSchema.parse({
      name: 'x',
      methods: ['adapt-then-stitch'],
      anchors: architectures.map((architecture) => ({ name: architecture, architecture })),
      data: { kind: 'species' },
      adaptation: { ranks: [1, 1] },
      training: { patch_dropout: rate },
    });
    return recipeOf(trialsOf(experiment)[0]!, unknownImages);
  };
  assert.deepEqual(
    of(0.25, 'vit_mini_tiny', 'vit_mini_small').stages.map(({ patchDropout }) => patchDropout),
    [0.25, 0.25, 0.25],
  );
  assert.throws(() => of(0.25, 'convnext_mini_tiny', 'convnext_mini_small'), {
    message: 'training.patch_dropout: expected 0 for convnext_mini_tiny, received 0.25',
  });
  assert.throws(() => of(0.999, 'vit_mini_tiny', 'vit_mini_small'), {
    message: /a share that leaves some of the 64 patches of vit_mini_tiny, received 0\.999/,
  });
});

test('a recipe on text: bins of parameters, a line down from a warm-up of steps, clipped gradients', () => {
  const of = (text: object, training: object = {}) => {
    const experiment = experimentSchema.parse({
      name: 'x',
      anchors: ['small', 'base'].map((name) => ({ name, architecture: `llama_mini_${name}` })),
      data: { kind: 'word-tasks', train_texts: 40, validation_texts: 4 },
      adaptation: { ranks: [2, 2] },
      training: { epochs: 2, batch_size: 8, base_learning_rates: [0.1], warmup_epochs: 1, ...training },
      evaluation: { batch_size: 3 },
      text: { cutoff: 64, micro_batch_size: 2, ...text },
    });
    return recipeOf(trialsOf(experiment)[0]!, { train: 40, 'train+validation': 44 });
  };
  const given = {
    ...{ cutoff: 32, train_on_inputs: false, group_by_length: true, length_multiple: 16, micro_batch_size: 4 },
    ...{ weights: 'float32', targets: ['q_proj'], alpha: 3, dropout: 0.2, clip_norm: 0.5, decay: 'linear' },
  };
  const { images, texts, stitching, stages, testSplit, choiceSplit } = of({ ...given, warmup_steps: 3 });
  assert.equal(images, undefined);
  assert.deepEqual(texts, {
    ...{ cutoff: 32, trainOnInputs: false, groupByLength: true, multiple: 16, batchSize: 8, microBatchSize: 4 },
    ...{ evaluationBatchSize: 3, weights: 'float32', targets: ['q_proj'], alpha: 3 },
  });
  assert.equal(stitching.bins.over, 'params');
  assert.deepEqual([choiceSplit, testSplit], ['validation', 'validation']);
  const [stage] = stages;
  assert.deepEqual([stage!.clipNorm, stage!.dropout], [0.5, 0.2]);
  const run = { split: 'train', epochs: 2, steps: 10, decay: 'linear' };
  assert.deepEqual(stage!.final, { ...run, warmupSteps: 3 });
  assert.equal(of({ ...given, warmup_steps: 100 }).stages[0]!.final.warmupSteps, 10, 'no longer than the run');
  const cosine = of({ ...given, decay: 'cosine', dropout: 0 }).stages[0]!;
  assert.ok(!('decay' in cosine.final || 'dropout' in cosine));
});
