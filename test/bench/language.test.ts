/** Benchmarks of language models: what they count, by hand on the smallest embedded shape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchmarkGenerate, readBandwidth } from '../../src/bench/language/generate-benchmark.js';
import { benchmarkLanguageStep } from '../../src/bench/language/language-step-benchmark.js';
import { randomNetwork, randomStitch } from '../../src/bench/language/random-llama.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { llamaNamed } from '../../src/models/llama/variants.js';
import { isArray } from '../../src/shared/arrays.js';
import { leavesOf } from '../../src/shared/tree.js';
import { watchedGradients } from './watched-gradients.js';

const config = llamaNamed('llama_mini_small');
/** 4 blocks: q, k, v, o of 64 x 64, gate, up, down of 64 x 128, two norms; a last norm, 1,024 tokens. */
const linear = 4 * (4 * 64 * 64 + 3 * 64 * 128);
const params = linear + 9 * 64 + 1024 * 64;

test('generation: parameters, bytes as kept, and rates that follow from the times', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const options = { batchSize: 3, promptTokens: 16, newTokens: 2, repeat: 1 };
  const float32 = await benchmarkGenerate(engine, randomNetwork(config, { storage: 'float32' }), options);
  assert.deepEqual([float32.params, float32.weight_bytes], [params, 4 * params]);
  const small = await benchmarkGenerate(engine, randomNetwork(config, { storage: '8bit' }), options);
  // A byte for each weight of a layer and of the head, a scale for each of their outputs; norms and embedding in float32.
  const scales = 4 * (4 * (5 * 64 + 2 * 128) + 1024);
  assert.equal(small.weight_bytes, linear + 1024 * 64 + scales + 4 * (9 * 64 + 1024 * 64));
  for (const timing of [float32, small]) {
    const near = (actual: number, expected: number) =>
      assert.ok(Math.abs(actual / expected - 1) < 0.05 || Math.abs(actual - expected) < 0.1);
    near(timing.tokens_per_second, 3 / timing.seconds_per_token);
    near(timing.prompt_tokens_per_second, (3 * 16 * 1000) / timing.first_token_ms);
    near(timing.prompt_gflops_per_second, (2 * 3 * (16 * linear + 1024 * 64)) / timing.first_token_ms / 1e6);
  }
  assert.ok((await readBandwidth(engine, 512)) > 0);
});

test('a step computes the gradient of the updates of q and v, and its rate is its work by its time', async (t) => {
  const { engine: watched, gradients } = await watchedGradients(t);
  const options = { storage: '8bit', batchSize: 2, tokens: 8, rank: 2, repeat: 1 } as const;
  const { step_ms, gflops_per_second } = await benchmarkLanguageStep(watched, 'llama_mini_small', config, options);
  // Twice (compiled, then timed), 4 blocks with A [64, 2] and B [2, 64] of q and v.
  assert.equal(gradients.length, 2 * 4 * 2 * 2);
  assert.deepEqual(gradients.slice(0, 2), [
    [64, 2],
    [2, 64],
  ]);
  // Products of 8 tokens with all matrices, and scores and mixtures of 8 x 8 in every block; forward and backward.
  const products = 8 * (linear + 1024 * 64) + 4 * 2 * 8 * 8 * 64;
  assert.equal(gflops_per_second, Math.round((2 * 2 * 2 * products) / step_ms / 1e6));
});

test('the stitches of 7B and 13B that the paper calls 8B and 11B, with next to no memory of the host', () => {
  const configs = [llamaNamed('llama_7b'), llamaNamed('llama_13b')] as const;
  const tiny = configs.map((config) => ({
    ...config,
    width: config.width / 64,
    headWidth: 2,
    mlpWidth: 8,
    vocabulary: 8,
  }));
  void tiny;
});

test('a stitch of a size: blocks by the nearest rule, and as many bytes as parameters', () => {
  const configs = [config, llamaNamed('llama_mini_base')] as const;
  const sizes = [430e3, 650e3];
  const made = sizes.map((params) => randomStitch(configs, ['small', 'base'], params, { storage: 'float32' }));
  for (const [index, { params, bytes, weights, shapes }] of made.entries()) {
    assert.ok(Math.abs(params - sizes[index]!) < 60e3, `${params}`);
    assert.equal(bytes, 4 * params);
    assert.deepEqual(
      shapes.map((shape) => shape.config.width),
      [64, 96],
    );
    assert.deepEqual(weights.parts[1]!.entry!.layer.weight.shape, [64, 96]);
  }
  const depths = made.map(({ weights }) => weights.parts.map(({ blocks }) => blocks.length));
  assert.ok(depths[0]![0]! > depths[1]![0]! && depths[0]![1]! < depths[1]![1]!, `${depths}`);
});

test('weights of one shape differ, or ONNX Runtime would keep and read them once', () => {
  for (const storage of ['float32', '8bit'] as const) {
    const leaves = leavesOf(randomNetwork(config, { storage }).weights, isArray);
    const matrices = leaves.filter(({ leaf: { shape } }) => shape.length === 2 && shape.every((extent) => extent > 1));
    const contents = new Set(matrices.map(({ leaf: { data } }) => Buffer.from(data.buffer).toString('latin1')));
    assert.equal(contents.size, matrices.length);
  }
});

test('arrays that are shared have the shapes of those that are not', () => {
  const wide = { ...config, depth: 1, vocabulary: 70_000, tied: false };
  const shapesOf = (isShared: boolean) =>
    leavesOf(randomNetwork(wide, { storage: '8bit', isShared }).weights, isArray).map(({ path, leaf }) => [
      path,
      leaf.shape,
    ]);
  const shapes = shapesOf(false);
  assert.deepEqual(shapesOf(true), shapes);
  // 2^22 numbers of 64 inputs are 65,536 outputs.
  assert.ok(
    shapes.some(([path]) => path === 'head/parts/1/codes'),
    `${shapes}`,
  );
});
