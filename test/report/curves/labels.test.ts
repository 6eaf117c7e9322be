import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anchorLabel,
  areDifferentTasks,
  datasetLabel,
  durationLabel,
  flopsUnit,
  learningRateLabel,
  meanName,
  pathLabel,
} from '../../../src/report/curves/labels.js';

test('durations in seconds, minutes and hours, rounded to the last unit that is shown', () => {
  const shown: readonly (readonly [seconds: number, label: string])[] = [
    [0.4, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [60, '1 min 00 s'],
    [725, '12 min 05 s'],
    [3599, '59 min 59 s'],
    [3600, '1 h 00 min'],
    [11_279, '3 h 07 min'], // 3 x 3600 + 7 x 60 + 59
    [100_000, '27 h 46 min'], // 27 x 3600 + 46 x 60 + 40
  ];
  for (const [seconds, label] of shown) assert.equal(durationLabel(seconds), label, `${seconds} s`);
});

test('FLOPs are shown in M where all are below 1 G', () => {
  assert.deepEqual(flopsUnit([2e6, 999_999_999]), { symbol: 'M', size: 1e6 });
  assert.deepEqual(flopsUnit([2e6, 1e9]), { symbol: 'G', size: 1e9 });
  assert.deepEqual(flopsUnit([]), { symbol: 'G', size: 1e9 });
});

test('blocks are shown with both ends included, a single one by its number', () => {
  const path = (front: readonly [number, number], end: readonly [number, number]) => [
    { anchor: 'vit_tiny_patch16_224', blocks: front },
    { anchor: 'vit_small_patch16_224', blocks: end },
  ];
  assert.equal(pathLabel(path([0, 5], [4, 12])), 'ViT-Ti 0–4 → ViT-S 4–11');
  assert.equal(pathLabel(path([0, 1], [11, 12])), 'ViT-Ti 0 → ViT-S 11');
  assert.equal(pathLabel(path([0, 2], [10, 12]).slice(1)), 'ViT-S');
});

test('anchors, data sets and learning rates by the names of the paper', () => {
  const anchors = ['vit_mini_base', 'convnext_tiny', 'convnext_mini_small', 'llama_7b'];
  assert.deepEqual(anchors.map(anchorLabel), ['ViT-mini-B', 'ConvNeXt-T', 'ConvNeXt-mini-S', 'llama_7b']);
  assert.deepEqual(['stanford-cars', 'stanford-cars-1-shot', 'stanford-cars-16-shot', 'mine'].map(datasetLabel), [
    'Stanford Cars',
    'Stanford Cars, 1 shot',
    'Stanford Cars, 16 shots',
    'mine',
  ]);
  assert.deepEqual([1e-3, 2.5e-4, 1, 30].map(learningRateLabel), ['1e-3', '2.5e-4', '1', '3e+1']);
});

test('a mean is over different tasks, not over shots of one; of all five it is FGVC', () => {
  assert.ok(!areDifferentTasks(['stanford-cars-1-shot', 'stanford-cars-4-shot']));
  assert.ok(areDifferentTasks(['stanford-cars-4-shot', 'nabirds-4-shot']));
  const fgvc = ['nabirds', 'stanford-cars', 'stanford-dogs', 'oxford-flowers-102', 'cub-200-2011'];
  assert.equal(meanName(fgvc), 'fgvc');
  assert.equal(meanName(fgvc.slice(1)), 'mean of 4 data sets');
  assert.equal(meanName([...fgvc.slice(1), 'mine']), 'mean of 5 data sets');
});

test('data sets go by their titles, and those that are not known by their own names, whatever these are', () => {
  assert.equal(datasetLabel('stanford-cars-4-shot'), 'Stanford Cars, 4 shots');
  assert.equal(datasetLabel('vtab-1k'), 'VTAB-1k');
  for (const name of ['mine', 'constructor', 'toString']) assert.equal(datasetLabel(name), name);
  assert.equal(datasetLabel('constructor-1-shot'), 'constructor, 1 shot');
});
