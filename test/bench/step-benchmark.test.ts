import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchmarkEstaSteps } from '../../src/bench/esta-step-benchmark.js';
import { benchmarkStep } from '../../src/bench/step-benchmark.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { variantNamed } from '../../src/models/vit/variants.js';

test('a step of the smallest network is timed, and its backward pass really runs', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const options = { batchSize: 4, rank: 2, repeat: 3 };
  const { model, forward_ms, step_ms, gflops_per_second } = await benchmarkStep(
    engine,
    variantNamed('vit_mini_tiny'),
    options,
  );
  await engine.dispose();
  assert.equal(model, 'vit_mini_tiny');
  assert.ok(forward_ms > 0 && step_ms > forward_ms && gflops_per_second > 0);
});

test('an ESTA step of every anchor of a family is timed', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const variants = ['vit_mini_tiny', 'vit_mini_small'].map(variantNamed);
  const times = await benchmarkEstaSteps(engine, variants, { batchSize: 2, rank: 2, repeat: 1 });
  await engine.dispose();
  assert.equal(times.length, 2);
  assert.ok(times.every((time) => time > 0));
});
