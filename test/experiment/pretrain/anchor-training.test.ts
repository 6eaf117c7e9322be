/** How an anchor is trained from scratch: rates, mixup, dropped patches, what is noted. The steps: supervised-step.test.ts. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { isValue, type Value } from '../../../src/engine/engine.js';
import { type AnchorTraining, trainAnchor } from '../../../src/experiment/pretrain/anchor-training.js';
import { fromScratch } from '../../../src/models/from-scratch.js';
import { float32, type NdArray } from '../../../src/shared/arrays.js';
import { Diverged } from '../../../src/shared/errors.js';
import { readJsonLines } from '../../../src/shared/files.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { Random } from '../../../src/shared/random.js';
import { leavesOf } from '../../../src/shared/tree.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { architectures } from '../../training/miniature-network.js';
import { hostEngine, hostLoader, type Inputs } from '../trial/host-engine.js';

/** What the steps were given, by name. */
type Given = Readonly<Record<'rate' | 'mixupLambda', number>> & { readonly kept?: NdArray };

/** @param fixedLoss of every step; left out: the loss of step n is n */
function hostAnchor(t: TestContext, changes: Partial<AnchorTraining> = {}, batches = 2, fixedLoss?: number) {
  const folder = temporaryFolder(t);
  const given: Given[] = [];
  const number = (inputs: Inputs, name: string) => ((inputs[name] as Value).storage as NdArray).data[0]!;
  const engine = hostEngine({
    other: (program, inputs) => {
      if (program === 'small accuracy') {
        const right = [0, 1, 2, 3, 4].map((image) => (image < given.length - 8 ? 1 : 0));
        const five = () => engine.put(float32([5], Float32Array.from(right)));
        return { correct: five(), sums: five() };
      }
      assert.match(program, /^pretrain small /);
      const kept = inputs['kept'] as Value | undefined;
      given.push({
        ...{ rate: number(inputs, 'rate'), mixupLambda: number(inputs, 'mixupLambda') },
        ...(kept && { kept: kept.storage as NdArray }),
      });
      const loss = engine.put(float32([], Float32Array.of(fixedLoss ?? given.length)));
      return { state: engine.copied(inputs['state']), loss };
    },
  });
  const metricsFile = path.join(folder, 'metrics.jsonl');
  const family = fromScratch(architectures[0]!);
  const anchor: AnchorTraining = {
    ...{ name: 'Ti', architecture: 'small', family, start: family.fresh(3, Random.of(0)), classes: 3, seed: 0 },
    ...{ epochs: 6, warmupEpochs: 1, peakLearningRate: 0.1, weightDecay: 0, labelSmoothing: 0 },
    ...{ mixup: 0, patchDropout: 0, train: hostLoader(batches), validation: hostLoader(1) },
    ...{ checkpoint: path.join(folder, 'checkpoint'), fingerprint: '{}', metricsFile },
    ...changes,
  };
  const train = () => trainAnchor({ engine, progress: silentProgress, signal: new AbortController().signal }, anchor);
  return { engine, given, metricsFile, train };
}

test('rates warm up for the epochs of the anchor; epochs are noted, every fifth and the last with its accuracy', async (t) => {
  const { engine, given, metricsFile, train } = hostAnchor(t);
  const other = { anchor: 'S', epoch: 9, loss: 1 };
  await writeFile(
    metricsFile,
    [other, { anchor: 'Ti', epoch: 3, loss: 1 }].map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
  const { parameters, accuracy, template } = await train();
  const cosine = Array.from({ length: 10 }, (_, step) => 0.05 * (1 + Math.cos((Math.PI * step) / 10)));
  for (const [step, rate] of [0.05, 0.1, ...cosine].entries()) assert.ok(Math.abs(given[step]!.rate - rate) < 1e-7);
  assert.equal(given.length, 12);
  assert.ok(given.every(({ mixupLambda, kept }) => mixupLambda === 1 && kept === undefined));
  // The loss of step n is n; after n of 12 steps n - 8 of the five validation images are right.
  const noted = await readJsonLines<{ accuracy?: number }>(metricsFile);
  const line = (epoch: number) => ({ anchor: 'Ti', epoch, loss: 2 * epoch - 0.5 });
  assert.deepEqual(
    noted.map(({ accuracy: _, ...rest }) => rest),
    [other, ...[1, 2, 3, 4, 5, 6].map(line)],
  );
  assert.deepEqual(
    noted.map((line) => 'accuracy' in line),
    [false, false, false, false, false, true, true],
  );
  assert.deepEqual([noted[5]!.accuracy, noted[6]!.accuracy, accuracy], [40, 80, 80]);
  assert.equal(
    Object.keys(parameters).length,
    leavesOf(template, (node): node is NdArray => 'data' in (node as object)).length,
  );
  const kept = leavesOf(parameters, isValue).map(({ leaf }) => leaf);
  assert.deepEqual(new Set(engine.live), new Set(kept), 'nothing else stays on the device');
});

test('an anchor that diverges is to get a lower rate of its own: another one for all would refuse those that are done', async (t) => {
  const { train } = hostAnchor(t, {}, 2, Number.NaN);
  await assert.rejects(
    train(),
    (error) => error instanceof Diverged && error.hint!.startsWith('Lower anchors.Ti.learning_rate;'),
  );
});

test('patches are dropped until the last fifth of the epochs, other ones in each step', async (t) => {
  const { given, train } = hostAnchor(t, { patchDropout: 0.5 });
  await train();
  // Four patches and the class token; floor(0.8 x 6) = 4 epochs of two steps.
  assert.deepEqual(
    given.map(({ kept }) => kept?.shape[0]),
    [...Array(8).fill(1 + 2), ...Array(4).fill(undefined)],
  );
  assert.ok(new Set(given.slice(0, 8).map(({ kept }) => `${kept!.data}`)).size > 2);
});

for (const [alpha, mean] of [
  [1, 3 / 4],
  [2, 11 / 16],
] as const) {
  test(`mixup takes the larger share of Beta(${alpha}, ${alpha}), whose mean is ${mean}`, async (t) => {
    const { given, train } = hostAnchor(t, { mixup: alpha, epochs: 1, warmupEpochs: 0 }, 400);
    await train();
    const shares = given.map(({ mixupLambda }) => mixupLambda);
    assert.ok(shares.every((share) => share >= 0.5 && share <= 1));
    // The deviation of a share is below 0.15: of 400 they have the mean to 4 x 0.0075.
    const average = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    assert.ok(Math.abs(average - mean) < 0.03, `${average}`);
    const again = hostAnchor(t, { mixup: alpha, epochs: 1, warmupEpochs: 0 }, 3);
    await again.train();
    assert.deepEqual(
      again.given.map(({ mixupLambda }) => mixupLambda),
      shares.slice(0, 3),
      'by seed and step alone',
    );
  });
}
