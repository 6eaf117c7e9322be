import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { benchmarkStep } from '../../src/evaluation/step-benchmark.js';
import { variantNamed } from '../../src/models/variants.js';

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
