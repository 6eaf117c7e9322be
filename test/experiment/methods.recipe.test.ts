/** Every method through the same run: what it trains, how it chooses, what its result says. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Method } from '../../src/config/schema/experiment.js';
import { readTrained } from '../../src/experiment/trial/trained-file.js';
import type { TrialResult } from '../../src/run-folder/result.js';
import type { TrialValidation } from '../../src/run-folder/validation.js';
import { isFloat32 } from '../../src/shared/arrays.js';
import { silentProgress } from '../../src/shared/progress.js';
import { leavesOf } from '../../src/shared/tree.js';
import { type Miniature, miniature, readLines } from './miniature.js';

/** Ranks and widths of the miniature. */
const rank = 2;
const [tiny, small] = [32, 64];
/** Two classes. */
const heads = 2 * (tiny + 1) + 2 * (small + 1);
const lowRank = (width: number) => 4 * 3 * 2 * rank * width;

async function run(mini: Miniature, method: Method): Promise<TrialResult> {
  const [result] = await mini.run(mini.experiment({ methods: [method], training: { epochs: 1 } }), method);
  assert.equal(result!.status, 'finished', result!.error);
  assert.equal(result!.method, method);
  return result!;
}

const trialFolder = (mini: Miniature, method: Method) =>
  path.join(mini.folder, method, 'trials', `species-${method}-seed0`);

test('naive LoRA is ESTA without stitch-specific biases, SS-LoRA has updates for each stitch', async (t) => {
  const mini = await miniature(t);
  const naive = (await run(mini, 'naive-lora')).stages![0]!.trainable;
  const shared = { lowRank: lowRank(tiny) + lowRank(small), stitchingLayers: 3 * rank * (tiny + small), heads };
  assert.deepEqual(naive, {
    anchors: 0,
    ...shared,
    stitchBias: 0,
    total: shared.lowRank + shared.stitchingLayers + heads,
  });
  const specific = (await run(mini, 'ss-lora')).stages![0]!.trainable;
  // Front blocks of a pair: j + 1, end blocks: 4 - k, for the 10 pairs |j - k| <= 1; and both anchors.
  const pairs = Array.from({ length: 4 }, (_, j) =>
    [j - 1, j, j + 1].filter((k) => k >= 0 && k < 4).map((k) => [j, k]),
  );
  const blocks = pairs.flat().reduce(([front, end], [j, k]) => [front! + j! + 1, end! + 4 - k!], [4, 4]);
  const perBlock = (width: number) => 3 * 2 * rank * width;
  assert.equal(specific.lowRank, blocks[0]! * perBlock(tiny) + blocks[1]! * perBlock(small));
  assert.equal(specific.stitchingLayers, 10 * rank * (tiny + small));
  const { trainables: tensors } = await readTrained(path.join(trialFolder(mini, 'ss-lora'), 'trained.safetensors'));
  const held = leavesOf(tensors, isFloat32).reduce((sum, { leaf }) => sum + leaf.data.length, 0);
  assert.equal(held, specific.total, 'the trained tensors are as many as are counted');
});

test('SN-Net trains everything with labels alone and deploys what is best on the validation images', async (t) => {
  const mini = await miniature(t);
  const result = await run(mini, 'sn-net');
  const { trainable } = result.stages![0]!;
  assert.equal(trainable.stitchingLayers, 3 * (tiny * small + small));
  assert.deepEqual([trainable.lowRank, trainable.stitchBias, trainable.heads], [0, 0, heads]);
  const { trainables: tensors } = await readTrained(path.join(trialFolder(mini, 'sn-net'), 'trained.safetensors'));
  const held = leavesOf(tensors, isFloat32).reduce((sum, { leaf }) => sum + leaf.data.length, 0);
  assert.equal(held, trainable.total);
  assert.deepEqual(
    result.stitches.map(({ bin, importance }) => [bin, importance]),
    [
      [0, undefined],
      [1, undefined],
      [undefined, undefined],
    ],
  );
  const [metrics] = await readLines(path.join(trialFolder(mini, 'sn-net'), 'metrics.jsonl'));
  assert.ok(!('teacher_loss' in metrics!));
});

test('deployment by validation evaluates all stitches after the same training', async (t) => {
  const mini = await miniature(t);
  const evaluated: string[] = [];
  const runBy = async (deployBy: 'importance' | 'validation') => {
    const changes = { training: { epochs: 1 }, evaluation: { deploy_by: deployBy } };
    const progress = { ...silentProgress, start: (label: string) => void evaluated.push(`${deployBy}: ${label}`) };
    const [result] = await mini.run(mini.experiment(changes), deployBy, { progress });
    return result!;
  };
  const [scores, validation] = [await runBy('importance'), await runBy('validation')];
  assert.deepEqual(
    evaluated.filter((label) => label.includes('evaluating all')),
    ['validation: species-esta-seed0: evaluating all stitches'],
  );
  const trainedBy = (deployBy: string) =>
    readFile(path.join(mini.folder, deployBy, 'trials', 'species-esta-seed0', 'trained.safetensors'));
  assert.deepEqual(await trainedBy('validation'), await trainedBy('importance'));
  const bins = (result: TrialResult) => result.stitches.map(({ bin }) => bin);
  assert.deepEqual(bins(validation), bins(scores));

  const noted = (deployBy: string) =>
    readFile(path.join(mini.folder, deployBy, 'trials', 'species-esta-seed0', 'validation.json'), 'utf8');
  await assert.rejects(noted('importance'), { code: 'ENOENT' });
  const { stitches } = JSON.parse(await noted('validation')) as TrialValidation;
  assert.equal(stitches.length, 12);
  // What is deployed is the best of its bin; scores are those of the training that both share.
  for (const { id, flops, bin, importance } of validation.stitches.slice(0, -1)) {
    const own = stitches[id]!;
    assert.deepEqual([own.flops, own.bin, own.importance], [flops, bin, importance]);
    assert.equal(
      own.accuracy,
      Math.max(...stitches.filter((other) => other.bin === bin).map(({ accuracy }) => accuracy)),
    );
  }
});

test('anchors alone are trained one after the other and all deployed', async (t) => {
  const mini = await miniature(t);
  const result = await run(mini, 'anchor-lora');
  assert.deepEqual(
    result.stitches.map(({ path: segments }) => segments),
    [[{ anchor: 'Ti', blocks: [0, 4] }], [{ anchor: 'S', blocks: [0, 4] }]],
  );
  assert.deepEqual(
    result.stages!.map(({ name, epochs, trainable }) => [name, epochs, trainable.total]),
    [
      ['anchor-Ti', 1, lowRank(tiny) + 2 * (tiny + 1)],
      ['anchor-S', 1, lowRank(small) + 2 * (small + 1)],
    ],
  );
  assert.equal(result.epochs, 2);
});

test('adapt-then-stitch goes on with the adapted anchors', async (t) => {
  const mini = await miniature(t);
  const result = await run(mini, 'adapt-then-stitch');
  assert.deepEqual(
    result.stages!.map(({ name }) => name),
    ['anchor-Ti', 'anchor-S', 'stitched'],
  );
  assert.equal(result.epochs, 3);
  assert.equal(result.stitches.at(-1)!.id, 1);
  const lines = await readLines(path.join(trialFolder(mini, 'adapt-then-stitch'), 'metrics.jsonl'));
  assert.deepEqual(
    lines.map(({ stage }) => stage),
    ['anchor-Ti', 'anchor-S', 'stitched'],
  );
  // Anchors that were adapted put out other features, so the least-squares start differs from that of ESTA.
  assert.notDeepEqual(result.layerStartErrors, (await run(mini, 'esta')).layerStartErrors);
});

test('adapt-then-sn-net adapts anchors alone and then trains all of their weights', async (t) => {
  const mini = await miniature(t);
  const result = await run(mini, 'adapt-then-sn-net');
  const [first, second, stitched] = result.stages!;
  assert.deepEqual([first!.trainable.anchors, second!.trainable.lowRank], [0, lowRank(small)]);
  const { name, trainable } = stitched!;
  assert.deepEqual([name, trainable.lowRank, trainable.stitchBias], ['stitched', 0, 0]);
  assert.equal(trainable.stitchingLayers, 3 * (tiny * small + small));
  assert.ok(trainable.anchors > 10 * second!.trainable.total, 'all weights of both anchors');
  assert.ok(result.stitches.every(({ importance }) => importance === undefined));
});
