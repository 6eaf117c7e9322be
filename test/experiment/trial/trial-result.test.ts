/** What the result of a trial says of its stitches and stages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnchorConfig } from '../../../src/config/schema/experiment.js';
import type { TrainedStage } from '../../../src/experiment/trial/stage.js';
import { stageResult, stitchResult } from '../../../src/experiment/trial/trial-result.js';
import { initialImportance } from '../../../src/stitching/importance.js';
import { noTrainables } from '../../../src/stitching/parameters/trainables.js';
import { spaceTrainableParams, stitchFlops, stitchParams, trainableParams } from '../../../src/stitching/space/cost.js';
import { hostEngine, hostNetwork, stageOf } from './host-engine.js';

const network = hostNetwork(hostEngine({}));
const anchors = ['Ti', 'S'].map((name) => ({ name })) as unknown as readonly AnchorConfig[];
const stage = (recipe = stageOf()): TrainedStage => ({
  ...{ recipe, network, trainables: noTrainables, seconds: 12, baseLearningRate: 0.2, deployed: [], deploySeconds: 1 },
  importance: { ...initialImportance(6), scores: [null, 0, 0.5, null, null, null] },
});
const { space, network: stitched } = network;

test('a stitch: path by the names of the anchors, costs, and the score where there is one', () => {
  const costs = (id: number) => ({
    flops: stitchFlops(space.stitches[id]!, stitched),
    params: stitchParams(space.stitches[id]!, stitched).total,
    trainable: trainableParams(space.stitches[id]!, stitched).total,
  });
  assert.deepEqual(stitchResult(anchors, stage(), { id: 2, bin: 0 }, { accuracy: 75 }), {
    ...{ id: 2, ...costs(2), accuracy: 75, importance: 0.5, bin: 0 },
    path: [
      { anchor: 'Ti', blocks: [0, 1] },
      { anchor: 'S', blocks: [0, 2] },
    ],
  });
  const whole = (anchor: string) => [{ anchor, blocks: [0, 2] }];
  assert.deepEqual(stitchResult(anchors, stage(), { id: 1 }, { accuracy: 80 }), {
    ...{ id: 1, path: whole('S'), ...costs(1), accuracy: 80, importance: 0 },
  });
  assert.deepEqual(stitchResult(anchors, stage(), { id: 0 }, { accuracy: 0 }), {
    id: 0,
    path: whole('Ti'),
    ...costs(0),
    accuracy: 0,
  });
});

test('a stage: what is trained of the whole space or of an anchor, and its own grid', () => {
  const [own, other] = ['stitched', 'anchor-Ti'];
  const grid = [
    { stage: own, base_rate: 0.1, accuracy: 40, seconds: 3 },
    { stage: other, base_rate: 0.1, accuracy: 90, seconds: 100 },
    { stage: own, base_rate: 0.2, accuracy: 0, diverged: 'the loss is NaN' },
    { stage: own, base_rate: 0.4, accuracy: 50, seconds: 4 },
  ];
  const common = { learningRate: 0.2, epochs: 2, trainSeconds: 12 };
  const all = spaceTrainableParams(space, stitched);
  assert.deepEqual(stageResult(stage(), grid), {
    ...{ name: own, ...common, trainable: all, gridSeconds: 7 },
    grid: [
      { learningRate: 0.1, accuracy: 40 },
      { learningRate: 0.2, accuracy: 0, diverged: 'the loss is NaN' },
      { learningRate: 0.4, accuracy: 50 },
    ],
  });
  const alone = stageOf({ name: 'anchor-S', anchor: 1 });
  const trainable = trainableParams(space.stitches[1]!, stitched);
  assert.deepEqual(stageResult(stage(alone), grid), { name: 'anchor-S', ...common, trainable });
  assert.notDeepEqual(trainable, all);
});
