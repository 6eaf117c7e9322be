import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchmarkEstaSteps, benchmarkSnNetStep, estaStepSetting } from '../../src/bench/esta-step-benchmark.js';
import { benchmarkStep, medianMilliseconds } from '../../src/bench/step-benchmark.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { variantNamed } from '../../src/models/vit/variants.js';
import { watchedGradients } from './watched-gradients.js';

test('a step computes the gradient of every low-rank update, and its rate is its work by its time', async (t) => {
  const { engine: watched, gradients } = await watchedGradients(t);
  const { model, step_ms, gflops_per_second } = await benchmarkStep(watched, variantNamed('vit_mini_tiny'), {
    batchSize: 4,
    rank: 2,
    repeat: 1,
  });
  assert.equal(model, 'vit_mini_tiny');
  // Twice (compiled, then timed), 12 blocks with A [width, rank] and B [rank, width] of q, k and v; the width is 32.
  assert.equal(gradients.length, 2 * 12 * 3 * 2);
  assert.deepEqual(gradients.slice(0, 2), [
    [32, 2],
    [2, 32],
  ]);
  // 65 tokens: 12 N D^2 + 2 N^2 D multiply-accumulates a block, 2 operations each, forward and backward.
  const flops = 2 * 2 * 4 * 12 * (12 * 65 * 32 ** 2 + 2 * 65 ** 2 * 32);
  assert.equal(gflops_per_second, Math.round(flops / step_ms / 1e6));
});

test('the median leaves out the run that compiles', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const times = [1000, 5, 1, 30];
  const median = await medianMilliseconds(3, async () => {
    now += times.shift()!;
  });
  assert.equal(median, 5);
  times.push(1000, 20, 200);
  const ofTwo = await medianMilliseconds(2, async () => {
    now += times.shift()!;
  });
  assert.equal(ofTwo, 110);
});

test('an ESTA step of every anchor of a family is timed', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const variants = ['vit_mini_tiny', 'vit_mini_small'].map(variantNamed);
  const times = await benchmarkEstaSteps(engine, variants, { batchSize: 2, rank: 2, repeat: 1 });
  await engine.dispose();
  assert.equal(times.length, 2);
  assert.ok(times.every((time) => time > 0));
});

test('a step of SN-Net moves weights of the anchors, and is timed', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const variants = ['vit_mini_tiny', 'vit_mini_small'].map(variantNamed);
  const options = { batchSize: 1, rank: 2, repeat: 1 };
  const { state, step } = estaStepSetting(engine, variants, options, 'sn-net');
  await step(1);
  const moved: string[] = [];
  for (const [name, count] of Object.entries(state.optimizer.step)) {
    if ((await engine.get(count)).data[0] === 1) moved.push(name);
  }
  assert.ok(
    moved.some((name) => /anchors\/0\/.*weight$/.test(name)),
    moved.join(),
  );
  assert.ok(moved.some((name) => /anchors\/1\/.*weight$/.test(name)));
  assert.ok((await benchmarkSnNetStep(engine, variants, options)) > 0);
  await engine.dispose();
});
