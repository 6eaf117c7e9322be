import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchmarkSweep } from '../../src/bench/sweep-benchmark.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { variantNamed } from '../../src/models/vit/variants.js';

test('all stitches of two anchors are timed, one by one and together', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const shallow = { ...variantNamed('vit_mini_tiny'), depth: 2 };
  const variants = [shallow, { ...variantNamed('vit_mini_small'), depth: 2 }];
  const { stitches, images, first_s, again_s } = await benchmarkSweep(engine, variants, { images: 3, batchSize: 2 });
  await engine.dispose();
  assert.deepEqual([stitches, images], [6, 3], 'two anchors, four pairs of blocks');
  // 64 pixels in patches of 8, 224 in patches of 16.
  await assert.rejects(
    benchmarkSweep(engine, ['vit_mini_tiny', 'vit_small_patch16_224'].map(variantNamed), { images: 1, batchSize: 1 }),
    {
      name: 'RequestError',
      message:
        '--model: expected networks with the same number of tokens and the same image size, received vit_mini_tiny (65 tokens of 64 pixels), vit_small_patch16_224 (197 tokens of 224 pixels)',
    },
  );
  for (const { one_by_one, together } of [first_s, again_s]) assert.ok(one_by_one > 0 && together > 0);
});
