/** What a stage does around its steps: which rate, which images, which epochs, what it writes, deploys and frees. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { isValue, type Value } from '../../../src/engine/engine.js';
import { runFingerprint, runStage } from '../../../src/experiment/trial/stage.js';
import { claimFolder, type Lock } from '../../../src/run-folder/lock.js';
import type { NdArray } from '../../../src/shared/arrays.js';
import { Interrupted } from '../../../src/shared/errors.js';
import { readJsonLines } from '../../../src/shared/files.js';
import { leavesOf } from '../../../src/shared/tree.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { type Answers, hostContext, hostEngine, hostNetwork, stageOf } from './host-engine.js';

function hostTrial(t: TestContext, answers: Answers) {
  const folder = temporaryFolder(t);
  const engine = hostEngine(answers);
  const lines = (name: string) => readJsonLines<Record<string, unknown>>(path.join(folder, name));
  return { folder, engine, lines, network: hostNetwork(engine), ...hostContext(engine, folder) };
}

const stepsIn = (ran: readonly string[]) =>
  ran.flatMap((program) => /^step of stitch (\d+)/.exec(program)?.[1] ?? []).map(Number);
const grid = { split: 'train', epochs: 1, steps: 2, warmupSteps: 0 } as const;
const learningRates = [0.1, 0.2, 0.4].map((base) => ({ base, peak: base / 4 }));

test('the grid trains and validates every rate, the final run takes the best: images, epochs and files', async (t) => {
  let rate = 0;
  // Of five images in each of two batches: 2, 4 and 3 are right.
  const answers: Answers = {
    step: (_, given) => {
      rate = given;
      return { loss: 1 };
    },
    correct: () => (rate <= 0.025 ? 2 : rate <= 0.05 ? 4 : 3),
  };
  const { context, network, folder, lines, splits, epochs, engine, labels } = hostTrial(t, answers);
  const trained = await runStage(context, network, stageOf({ learningRates, grid, testedEpochs: [1] }), 10);
  assert.equal(trained.baseLearningRate, 0.2);
  assert.deepEqual(
    (await lines('grid.jsonl')).map(({ seconds: _, ...line }) => line),
    [40, 80, 60].map((accuracy, index) => ({ stage: 'stitched', base_rate: learningRates[index]!.base, accuracy })),
  );
  const tried = ['train', 'validation'];
  assert.deepEqual(splits, [...tried, ...tried, ...tried, 'train+validation', 'test']);
  const run = (from: number, count: number, base: number) =>
    Array.from({ length: count + 1 }, (_, epoch) => [from + epoch, base]);
  assert.deepEqual(epochs, [...run(10, 1, 0.1), ...run(11, 1, 0.2), ...run(12, 1, 0.4), ...run(13, 2, 0.2)]);
  // What the grid left is removed; what the final run goes on from stays.
  assert.deepEqual((await readdir(folder)).sort(), [
    'checkpoint-stitched.safetensors',
    'grid.jsonl',
    'importance.jsonl',
    'metrics.jsonl',
    'tests.jsonl',
  ]);
  const [noted, ...others] = await lines('tests.jsonl');
  assert.deepEqual([noted!['stage'], noted!['epoch'], noted!['accuracy'], others], ['stitched', 1, 80, []]);
  assert.deepEqual(
    (await lines('metrics.jsonl')).map(({ stage, epoch, step, base_rate }) => [stage, epoch, step, base_rate]),
    [
      ...[0.1, 0.2, 0.4].map((base) => [`stitched-grid-${base}`, 1, 2, base]),
      ['stitched', 1, 2, 0.2],
      ['stitched', 2, 4, 0.2],
    ],
  );
  assert.deepEqual(
    labels.filter((label) => label.includes(' at base rate ')),
    [
      ...[0.1, 0.2, 0.4].map((base) => `trial, grid of stitched at base rate ${base}`),
      ...Array(2).fill('trial, stitched at base rate 0.2'),
    ],
  );
  // Nothing is left on the device but the network and what the stage gives.
  const kept = [network.frozen, trained.trainables].flatMap((tree) => leavesOf(tree, isValue).map(({ leaf }) => leaf));
  assert.deepEqual(new Set(engine.live), new Set(kept));
});

test('steps see some of the patches, other ones in each, until the last fifth of the epochs', async (t) => {
  const seen: (readonly number[] | undefined)[] = [];
  const answers: Answers = {
    step: (_, __, { kept }) => {
      seen.push(kept ? [...((kept as Value).storage as NdArray).data] : undefined);
      return { loss: 1 };
    },
  };
  const { context, network, engine } = hostTrial(t, answers);
  const final = { split: 'train', epochs: 6, steps: 12, warmupSteps: 0 } as const;
  const { trainables } = await runStage(context, network, stageOf({ patchDropout: 0.5, final }), 0);
  // Four epochs of two steps see the class token and two of the four patches.
  assert.deepEqual(
    seen.map((kept) => kept?.length),
    [...new Array(8).fill(3), ...new Array(4).fill(undefined)],
  );
  assert.ok(
    seen.slice(0, 8).every((kept) => kept![0] === 0 && kept![1]! > 0 && kept![2]! > kept![1]! && kept![2]! < 5),
  );
  assert.ok(new Set(seen.slice(0, 8).map(String)).size > 1);
  const left = [network.frozen, trainables].flatMap((tree) => leavesOf(tree, isValue).map(({ leaf }) => leaf));
  assert.deepEqual(new Set(engine.live), new Set(left));
});

for (const deployment of ['importance', 'validation'] as const) {
  test(`weights that answer with no numbers after the last step have diverged, too: ${deployment}`, async (t) => {
    let rate = 0;
    const answers: Answers = {
      step: (_, given) => {
        rate = given;
        return { loss: 1 };
      },
      correct: () => (rate > 0.05 ? Number.NaN : 0),
    };
    const { engine, context, network, lines, told } = hostTrial(t, answers);
    const order = [learningRates[2]!, learningRates[0]!];
    const stage = stageOf({ learningRates: order, grid, deployment });
    const { baseLearningRate, trainables } = await runStage(context, network, stage, 0);
    assert.equal(baseLearningRate, 0.1);
    assert.match(told[0]!, /^trial: base rate 0\.4 counts as the worst: stitch \d answers with .* whose sum is NaN$/);
    assert.match(String((await lines('grid.jsonl'))[0]!['diverged']), /sum is NaN$/);
    const left = [network.frozen, trainables].flatMap((tree) => leavesOf(tree, isValue).map(({ leaf }) => leaf));
    assert.deepEqual(new Set(engine.live), new Set(left));
  });
}

test('a rate that diverges counts as the worst, is told, and leaves nothing; other errors end the stage', async (t) => {
  const answers: Answers = { step: (_, rate) => ({ loss: rate > 0.05 ? Number.NaN : 1 }), correct: () => 0 };
  const { context, network, lines, folder, told, epochs } = hostTrial(t, answers);
  const order = [learningRates[2]!, learningRates[0]!];
  const trained = await runStage(context, network, stageOf({ learningRates: order, grid }), 0);
  assert.equal(trained.baseLearningRate, 0.1);
  const reason = /the loss is NaN at step 0 of 2 \(stitch \d, learning rate 1\.00e-1\)$/;
  const [diverged] = await lines('grid.jsonl');
  assert.deepEqual([diverged!['base_rate'], diverged!['accuracy']], [0.4, 0]);
  assert.match(String(diverged!['diverged']), reason);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^trial: base rate 0\.4 counts as the worst: the loss/);
  assert.match(told[0]!, reason);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('grid-')),
    [],
  );
  assert.deepEqual(
    epochs.map(([done]) => done),
    [0, 1, 2, 2, 3, 4],
  );

  const failing = hostTrial(t, {
    step: () => {
      throw new RangeError('a bug');
    },
  });
  await assert.rejects(runStage(failing.context, failing.network, stageOf({ learningRates, grid }), 0), RangeError);
});

test('the stitch of each bin with the highest score is deployed, by a moving average with the momentum', async (t) => {
  const drawn: number[] = [];
  // A saliency that differs from step to step.
  const saliencies: number[] = [];
  const { context, network, lines } = hostTrial(t, {
    step: (id) => {
      drawn.push(id);
      saliencies.push(1 + ((7 * saliencies.length) % 5));
      return { loss: id / 10, saliency: saliencies.at(-1)!, labelLoss: 5 };
    },
  });
  const final = { split: 'train', epochs: 12, steps: 24, warmupSteps: 0 } as const;
  const { importance, deployed } = await runStage(context, network, stageOf({ final }), 0);
  const scores = new Map<number, number>();
  for (const [step, id] of drawn.entries()) {
    const before = scores.get(id);
    scores.set(id, before === undefined ? saliencies[step]! : 0.5 * before + 0.5 * saliencies[step]!);
  }
  assert.equal(scores.size, 6, 'all stitches were drawn');
  assert.deepEqual(
    importance.scores,
    [0, 1, 2, 3, 4, 5].map((id) => scores.get(id)),
  );
  const best = (ids: readonly number[]) => ids.reduce((a, b) => (scores.get(b)! > scores.get(a)! ? b : a));
  assert.deepEqual(deployed, [{ id: best([0, 2]), bin: 0 }, { id: best([3, 4, 5]), bin: 1 }, { id: 1 }]);
  for (const [epoch, line] of (await lines('importance.jsonl')).entries()) {
    const ofEpoch = drawn.slice(2 * epoch, 2 * epoch + 2);
    assert.deepEqual(
      line['draws'],
      [0, 1, 2, 3, 4, 5].map((id) => ofEpoch.filter((other) => other === id).length),
    );
    assert.deepEqual([line['stage'], line['epoch'], line['base_rate']], ['stitched', epoch + 1, 0.2]);
  }
  assert.deepEqual((await lines('importance.jsonl')).at(-1)!['scores'], importance.scores);
  const [metrics] = await lines('metrics.jsonl');
  assert.ok(Math.abs((metrics!['loss'] as number) - (drawn[0]! + drawn[1]!) / 20) < 1e-7);
  assert.deepEqual([metrics!['label_loss'], 'teacher_loss' in metrics!], [5, false]);
});

test('several stitches of a step: the teacher learns first and is not drawn, measures are means', async (t) => {
  const { context, network, engine, lines } = hostTrial(t, {
    step: (id) => ({ loss: id, saliency: 10 + id, teacherLoss: 0.5, labelLoss: 2 * id }),
  });
  const stage = stageOf({ stitchesPerStep: 3, distillation: { temperature: 1, weight: 1 } });
  const { importance } = await runStage(context, network, stage, 0);
  const programs = engine.ran.map((program) => program.split(' ').slice(0, 2).join(' '));
  assert.deepEqual(
    programs,
    Array(4)
      .fill(['learning teacher', ...Array(3).fill('step of')])
      .flat(),
  );
  const ids = stepsIn(engine.ran);
  assert.ok(!ids.includes(1));
  for (let step = 0; step < 4; step++) assert.equal(new Set(ids.slice(3 * step, 3 * step + 3)).size, 3);
  assert.deepEqual(
    importance.scores,
    [0, 1, 2, 3, 4, 5].map((id) => (ids.includes(id) ? 10 + id : null)),
  );
  const mean = ids.slice(0, 6).reduce((sum, id) => sum + id, 0) / 6;
  const [metrics] = await lines('metrics.jsonl');
  assert.ok(Math.abs((metrics!['loss'] as number) - mean) < 1e-6);
  assert.ok(Math.abs((metrics!['label_loss'] as number) - 2 * mean) < 1e-6);
  assert.equal(metrics!['teacher_loss'], 0.5);
  const [{ draws }] = (await lines('importance.jsonl')) as [{ draws: number[] }];
  assert.deepEqual(
    draws,
    [0, 1, 2, 3, 4, 5].map((id) => ids.slice(0, 6).filter((other) => other === id).length),
  );
});

test('a run of the grid samples uniformly for the same share of it as the final run', async (t) => {
  const { context, network, engine } = hostTrial(t, {
    step: (id) => ({ loss: 1, saliency: id + 1 }),
    correct: () => 1,
  });
  // Half of the epochs; then only the stitch of the highest score in each bin.
  const sampling = { strategy: 'task-specific', warmupEpochs: 10, temperature: 1e-6 } as const;
  const [long, short] = [20, 10].map(
    (epochs) => ({ split: 'train', epochs, steps: 2 * epochs, warmupSteps: 0 }) as const,
  );
  const stage = stageOf({ learningRates: learningRates.slice(0, 2), grid: short!, final: long!, sampling });
  await runStage(context, network, stage, 0);
  const ids = stepsIn(engine.ran);
  const [first, final] = [ids.slice(0, 20), ids.slice(40)];
  for (const [run, half] of [
    [first, 10],
    [final, 20],
  ] as const) {
    const warm = run.slice(0, half);
    const best = [[0, 2], [1], [3, 4, 5]].map((bin) => Math.max(...bin.filter((id) => warm.includes(id))));
    assert.ok(warm.some((id) => !best.includes(id)));
    assert.ok(
      run.slice(half).every((id) => best.includes(id)),
      `${run}`,
    );
  }
});

test('by the sandwich rule the smallest anchor learns first in every step', async (t) => {
  const { context, network, engine } = hostTrial(t, { step: () => ({ loss: 1, saliency: 1 }) });
  assert.equal(Math.min(...network.flops), network.flops[0]);
  await runStage(context, network, stageOf({ stitchesPerStep: 2, sandwich: true }), 0);
  const ids = stepsIn(engine.ran);
  assert.deepEqual(
    ids.filter((_, index) => index % 2 === 0),
    [0, 0, 0, 0],
  );
  assert.ok(ids.every((id, index) => index % 2 === 0 || id !== 0));
});

test('an anchor alone is trained and deployed, without scores', async (t) => {
  const { context, network, engine, lines } = hostTrial(t, { step: () => ({ loss: 1 }) });
  const { importanceMomentum: _, ...unscored } = stageOf({ name: 'anchor-S', anchor: 1, deployment: 'all' });
  const { deployed, importance, trainables } = await runStage(context, network, unscored, 0);
  assert.deepEqual(deployed, [{ id: 1 }]);
  assert.deepEqual(stepsIn(engine.ran), [1, 1, 1, 1]);
  assert.ok(engine.ran.every((program) => program.includes('"saliency":false')));
  assert.deepEqual(importance.scores, Array(6).fill(null));
  assert.deepEqual([Object.keys(trainables.heads), Object.keys(trainables.updates)], [['1'], ['1']]);
  assert.ok((await lines('importance.jsonl')).every((line) => !('scores' in line)));
});

test('a stage that was stopped goes on after the epochs that are done', async (t) => {
  const controller = new AbortController();
  let steps = 0;
  const step = () => {
    if (++steps === 3) controller.abort();
    return { loss: steps, saliency: 1 };
  };
  const { context, network, folder, epochs } = hostTrial(t, { step });
  const stopped = runStage({ ...context, signal: controller.signal }, network, stageOf(), 10);
  await assert.rejects(stopped, { name: 'Interrupted', message: /^stopped after step 3 of 4 of trial, stitched at/ });
  assert.deepEqual(
    epochs,
    [10, 11].map((done) => [done, 0.2]),
  );
  const engine = hostEngine({ step });
  const again = hostContext(engine, folder);
  await runStage(again.context, hostNetwork(engine), stageOf(), 10);
  assert.equal(steps, 4);
  assert.deepEqual(
    again.epochs,
    [11, 12].map((done) => [done, 0.2]),
  );
  const lines = await readJsonLines<{ epoch: number; loss: number }>(path.join(folder, 'metrics.jsonl'));
  assert.deepEqual(
    lines.map(({ epoch, loss }) => [epoch, loss]),
    [
      [1, 1.5],
      [2, 3.5],
    ],
  );
  // Where a trial is trained only, nothing is chosen of what is done.
  const only = await runStage({ ...again.context, until: 'stitched' }, hostNetwork(engine), stageOf(), 10);
  assert.deepEqual([only.deployed, steps], [[], 4]);
});

test('a stitch that is trained further, alone', async (t) => {
  const { context, network, engine } = hostTrial(t, { step: () => ({ loss: 1 }) });
  const { importanceMomentum: _, ...unscored } = stageOf({ stitch: 4, deployment: 'all' });
  assert.deepEqual((await runStage(context, network, unscored, 0)).deployed, [{ id: 4 }]);
  assert.deepEqual(stepsIn(engine.ran), [4, 4, 4, 4]);
});

test('what a cheaper deployed stitch beats on the validation images is left out, also of tests on the way; not in the grid', async (t) => {
  // Bins [0, 2] and [3, 4, 5]; of five images in each of two batches. Three more in each batch: 6 is more than 2 sqrt(6).
  const correct = [5, 2, 5, 2, 2, 2];
  const { context, network, folder, splits, engine, labels, lines } = hostTrial(t, {
    step: () => ({ loss: 1, saliency: 2 }),
    correct: (id) => correct[id]!,
  });
  const stage = stageOf({ leavesOutBeaten: true, grid, learningRates: learningRates.slice(0, 2), testedEpochs: [1] });
  const { deployed, beaten } = await runStage(context, network, stage, 0);
  const [first, anchor] = deployed;
  assert.deepEqual([first!.bin, anchor, deployed.length], [0, { id: 1 }, 2]);
  assert.deepEqual(
    beaten!.map(({ bin, by }) => [bin, by]),
    [[1, first!.id]],
  );
  assert.ok([3, 4, 5].includes(beaten![0]!.id));
  // A bin of 100 %, one of 40, and the anchor of 40.
  assert.equal((await lines('grid.jsonl'))[0]!['accuracy'], 60);
  assert.equal((await lines('tests.jsonl'))[0]!['accuracy'], 70);
  assert.equal(splits.at(-1), 'validation');
  assert.equal(labels.at(-1), 'trial: comparing the deployed stitches');
  assert.ok(!(await readdir(folder)).includes('validation.json'), 'not all were evaluated');
  const before = engine.live.size;
  assert.equal((await runStage(context, network, stageOf(), 0)).beaten, undefined);
  assert.ok(engine.live.size > before);
});

test('an anchor is deployed for its bin, whatever chooses, where the stage deploys anchors', async (t) => {
  // Bins [0, 2] and [3, 4, 5]; anchors 0 and 1.
  const { context, network } = hostTrial(t, {
    step: () => ({ loss: 1, saliency: 2 }),
    correct: (id) => (id === 0 ? 0 : 5),
  });
  for (const deployment of ['importance', 'validation'] as const) {
    const { deployed } = await runStage(context, network, stageOf({ deployment, deploysAnchors: true }), 0);
    assert.deepEqual([deployed[0], deployed[1]!.bin, deployed[2]], [{ id: 0, bin: 0 }, 1, { id: 1 }]);
  }
});

test('all stitches are evaluated on the validation images where these choose, and that is noted', async (t) => {
  const correct = [1, 4, 2, 5, 3, 5];
  const { context, network, folder, splits, engine } = hostTrial(t, {
    step: () => ({ loss: 1, saliency: 2 }),
    correct: (id) => correct[id]!,
  });
  const { deployed, importance } = await runStage(context, network, stageOf({ deployment: 'validation' }), 0);
  // Of five images, in each of two batches; of equal stitches the one with fewer FLOPs.
  assert.deepEqual(deployed, [{ id: 2, bin: 0 }, { id: 3, bin: 1 }, { id: 1 }]);
  assert.deepEqual(splits, ['train+validation', 'validation']);
  const scores = importance.scores.map((score) => (score === null ? {} : { importance: score }));
  const bins = [{ bin: 0 }, {}, { bin: 0 }, { bin: 1 }, { bin: 1 }, { bin: 1 }];
  assert.deepEqual(JSON.parse(await readFile(path.join(folder, 'validation.json'), 'utf8')), {
    ...{ version: 1, bins: 2, largest_anchor: 1 },
    stitches: [10, 60, 20, 30, 40, 50].map((flops, id) => ({
      ...{ id, flops, accuracy: 20 * correct[id]!, ...scores[id], ...bins[id] },
    })),
  });
  assert.ok(scores.some((score) => 'importance' in score) && scores.some((score) => !('importance' in score)));
  // Stitches with biases of their own share no blocks.
  assert.deepEqual(
    engine.ran.slice(-12).map((program) => program.slice(0, 8)),
    Array(2)
      .fill([0, 1, 2, 3, 4, 5])
      .flat()
      .sort()
      .map((id) => `stitch ${id}`),
  );
});

test('a rate that another process tries is told once, and waited for', async (t) => {
  const { context, network, folder, told } = hostTrial(t, { step: () => ({ loss: 1 }), correct: () => 1 });
  const lock = (await claimFolder(path.join(folder, 'stitched-grid-0.1'))) as Lock;
  const later = setTimeout(() => void lock.release(), 1200); // it looks again after a second, and after two
  t.after(() => clearTimeout(later));
  const stage = stageOf({ learningRates: learningRates.slice(0, 2), grid });
  const { baseLearningRate } = await runStage(context, network, stage, 0);
  assert.equal(baseLearningRate, 0.1);
  assert.equal(told.length, 1);
  assert.match(
    told[0]!,
    new RegExp(`^trial: base rate 0\\.1 is being tried by process ${process.pid} on this machine`),
  );
});

test('Ctrl-C ends the wait for another process', async (t) => {
  const { context, network, folder } = hostTrial(t, { step: () => ({ loss: 1 }), correct: () => 1 });
  const lock = (await claimFolder(path.join(folder, 'stitched-grid-0.1'))) as Lock;
  t.after(() => lock.release());
  const controller = new AbortController();
  const progress = { ...context.progress, line: () => controller.abort() };
  const stage = stageOf({ learningRates: learningRates.slice(0, 1), grid });
  const stopped = runStage({ ...context, progress, signal: controller.signal }, network, stage, 0);
  await assert.rejects(stopped, (error) => error instanceof Interrupted && /^stopped in trial/.test(error.message));
});

test('a line falls by the same amount in every step, a cosine does not; the runs of a grid follow each other', async (t) => {
  const ratesOf = async (more: object) => {
    const rates: number[] = [];
    const { context, network } = hostTrial(t, {
      step: (_, rate) => {
        rates.push(rate);
        return { loss: 1 };
      },
    });
    const final = { split: 'train', epochs: 4, steps: 8, warmupSteps: 0, ...more } as const;
    const { deploySeconds } = await runStage(context, network, stageOf({ final }), 0);
    assert.ok(deploySeconds >= 0 && deploySeconds < 60);
    return rates.slice(1).map((rate, step) => rates[step]! - rate);
  };
  const spread = (falls: readonly number[]) => Math.max(...falls) - Math.min(...falls);
  const line = await ratesOf({ decay: 'linear' });
  assert.ok(line[0]! > 1e-4 && spread(line) < 1e-7, `${line}`);
  assert.ok(spread(await ratesOf({})) > 1e-4);

  const { context, network, epochs } = hostTrial(t, { step: () => ({ loss: 1 }), correct: () => 1 });
  const long = { ...grid, epochs: 2, steps: 4 };
  await runStage(context, network, stageOf({ learningRates: learningRates.slice(0, 2), grid: long }), 0);
  assert.deepEqual(
    epochs.map(([done]) => done),
    [0, 1, 2, 2, 3, 4, 4, 5, 6],
  );
});

test('a checkpoint is of its run and of all that its numbers depend on', () => {
  const identity = { settings: { a: 1 } } as unknown as Parameters<typeof runFingerprint>[0]['identity'];
  assert.deepEqual(JSON.parse(runFingerprint({ name: 'trial', identity }, 'stitched')), {
    ...{ run: 'trial stitched', settings: { a: 1 } },
  });
});
