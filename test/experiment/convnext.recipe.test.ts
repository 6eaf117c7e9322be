/** A whole run on ConvNeXts: the methods of supplement C, from the embedded anchors to results. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { miniature } from './miniature.js';

test('ESTA, SN-Net and anchors with LoRA finish', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({
    anchors: ['tiny', 'small', 'base'].map((name) => ({ name, architecture: `convnext_mini_${name}` })),
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
    assert.deepEqual(last!.path, [{ anchor: 'base', blocks: [0, 12] }], method);
    assert.ok(stitches.every(({ accuracy }) => accuracy >= 0 && accuracy <= 100));
  }
});
