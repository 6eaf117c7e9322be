/** A whole run on ConvNeXts: the methods of supplement C, from checkpoints to results. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { writeSafetensors } from '../../src/models/checkpoint/safetensors.js';
import { convNeXtVariantNamed } from '../../src/models/convnext-variants.js';
import { convNeXtStateDictOf, initialConvNeXtWeights } from '../../src/models/convnext-weights.js';
import { Random } from '../../src/shared/random.js';
import { miniature } from './miniature.js';

test('ESTA, SN-Net and anchors with LoRA finish', async (t) => {
  const mini = await miniature(t);
  const anchors: object[] = [];
  for (const size of ['tiny', 'small', 'base']) {
    const architecture = `convnext_mini_${size}`;
    const checkpoint = path.join(mini.folder, `${architecture}.safetensors`);
    const variant = convNeXtVariantNamed(architecture);
    const weights = initialConvNeXtWeights(variant, Random.of(0, architecture));
    await writeSafetensors(checkpoint, convNeXtStateDictOf(weights, variant));
    anchors.push({ name: size, architecture, checkpoint });
  }
  const experiment = mini.experiment({
    anchors,
    adaptation: { ranks: [2, 2, 2] },
    preprocessing: { crop: 32 },
    methods: ['esta', 'sn-net', 'anchor-lora'],
    training: { epochs: 1 },
  });
  const results = await mini.run(experiment, 'run');
  assert.deepEqual(
    results.map(({ method, status }) => [method, status]),
    [
      ['esta', 'finished'],
      ['sn-net', 'finished'],
      ['anchor-lora', 'finished'],
    ],
  );
  for (const { method, stitches } of results) {
    const [last] = stitches.filter(({ path: parts }) => parts.length === 1 && parts[0]!.anchor === 'base');
    assert.deepEqual(last!.path, [{ anchor: 'base', blocks: [0, 7] }], method);
    assert.ok(stitches.every(({ accuracy }) => accuracy >= 0 && accuracy <= 100));
  }
});
