import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { convNeXtArchitecture } from '../../../src/models/convnext/architecture.js';
import type { ConvNeXtVariant } from '../../../src/models/convnext/variants.js';
import { readSafetensors, writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { type LoadOptions, loadStateDict } from '../../../src/models/pretrained/load-network.js';
import { float32, type StateDict } from '../../../src/shared/arrays.js';
import { fixture, requestError, temporaryFolder } from '../pretrained/fixtures.js';

/** The network of test/fixtures/checkpoints/make.py. */
const tiny: ConvNeXtVariant = {
  name: 'convnext_test',
  depths: [1, 1, 2, 1],
  dims: [4, 4, 8, 8],
  imageSize: 32,
  classes: 5,
};

function loadConvNeXt(source: string, variant: ConvNeXtVariant, options?: LoadOptions) {
  return loadStateDict(source, convNeXtArchitecture(variant), options);
}

const { tensors: timm } = await readSafetensors(fixture('convnext-timm.safetensors'));

async function changed(t: TestContext, change: (tensors: StateDict) => StateDict): Promise<string> {
  const file = path.join(temporaryFolder(t), 'changed.safetensors');
  await writeSafetensors(file, change({ ...timm }));
  return file;
}

for (const [name, flavour] of [
  ['timm', 'timm'],
  ['original', 'ConvNeXt authors'],
  ['transformers', 'Hugging Face transformers'],
] as const) {
  test(`loads the names of ${flavour}`, async () => {
    const { weights, report } = await loadConvNeXt(fixture(`convnext-${name}.safetensors`), tiny);
    assert.deepEqual(Object.keys(weights).sort(), Object.keys(timm).sort());
    for (const [tensor, expected] of Object.entries(timm)) assert.deepEqual(weights[tensor], expected, tensor);
    const location = fixture(`convnext-${name}.safetensors`);
    const { preprocessing: _, assumed: __, ...rest } = report;
    assert.deepEqual(rest, { location, flavour, head: 'kept', unused: [], notes: [] });
  });
}

test('linear layers kept as 1 x 1 convolutions are understood', async (t) => {
  const file = await changed(t, (tensors) => {
    const name = 'stages.2.blocks.1.mlp.fc1.weight';
    return { ...tensors, [name]: float32([32, 8, 1, 1], tensors[name]!.data) };
  });
  assert.deepEqual((await loadConvNeXt(file, tiny)).weights, timm);
});

test('a head of another size is left out, its norm is kept', async () => {
  const { weights, report } = await loadConvNeXt(fixture('convnext-timm.safetensors'), tiny, { classes: 3 });
  assert.equal(report.head, 'replaced');
  assert.deepEqual(report.unused, []);
  assert.deepEqual(
    Object.keys(weights).filter((name) => name.startsWith('head')),
    ['head.norm.weight', 'head.norm.bias'],
  );
});

test('what is missing, misshapen or not finite is named', async (t) => {
  const gamma = 'stages.0.blocks.0.gamma';
  const { [gamma]: _, ...rest } = timm;
  await assert.rejects(loadConvNeXt(await changed(t, () => rest), tiny), requestError(/lacks 1 tensors.*0\.gamma/));
  const misshapen = await changed(t, () => ({ ...timm, [gamma]: float32([3]) }));
  await assert.rejects(
    loadConvNeXt(misshapen, tiny),
    requestError(/0\.gamma has shape \[3\], convnext_test needs \[4\]/),
  );
  const infinite = await changed(t, () => ({ ...timm, [gamma]: float32([4], new Float32Array(4).fill(1 / 0)) }));
  await assert.rejects(loadConvNeXt(infinite, tiny), requestError(/0\.gamma holds Infinity/));
});

test('another size and other architectures are refused with what they look like', async (t) => {
  const file = fixture('convnext-timm.safetensors');
  await assert.rejects(
    loadConvNeXt(file, { ...tiny, depths: [1, 1, 3, 1] }),
    requestError(/with depths 1-1-2-1, widths 4-4-8-8, but convnext_test has depths 1-1-3-1, widths 4-4-8-8/),
  );
  await assert.rejects(loadConvNeXt(fixture('vit-timm.safetensors'), tiny), requestError(/holds a vision transformer/));
  const second = await changed(t, () => ({ ...timm, 'stages.0.blocks.0.mlp.grn.weight': float32([16]) }));
  await assert.rejects(loadConvNeXt(second, tiny), requestError(/ConvNeXt-V2/));
  await assert.rejects(
    loadConvNeXt(await changed(t, () => ({ x: float32([1]) })), tiny),
    requestError(/does not look like a ConvNeXt/),
  );
});

test('a norm before the pooling is called by its name, and wrappers are seen through', async (t) => {
  const before = await changed(t, () => ({ ...timm, 'norm_pre.weight': float32([8]) }));
  await assert.rejects(loadConvNeXt(before, tiny), requestError(/normalises before it averages \(convnext_tiny_hnf\)/));
  const { tensors: theirs } = await readSafetensors(fixture('convnext-transformers.safetensors'));
  for (const tensors of [timm, theirs]) {
    const wrapped = Object.entries(tensors).map(([name, tensor]) => [`_orig_mod.module.${name}`, tensor] as const);
    const { weights } = await loadConvNeXt(await changed(t, () => Object.fromEntries(wrapped)), tiny);
    assert.deepEqual(weights, timm);
  }
});

test('ConvNeXts are normalised as ImageNet, those of CLIP as CLIP', async (t) => {
  const { report } = await loadConvNeXt(fixture('convnext-timm.safetensors'), tiny);
  assert.deepEqual([report.preprocessing!.mean[0], report.assumed], [0.485, undefined]);
  const file = path.join(temporaryFolder(t), 'convnext_base.clip_laion2b.safetensors');
  await writeSafetensors(file, timm);
  assert.equal((await loadConvNeXt(file, tiny)).report.preprocessing!.mean[0], 0.48145466);
  // A word of vision transformers in the name of a folder tells nothing.
  const other = path.join(temporaryFolder(t), 'in21k.safetensors');
  await writeSafetensors(other, timm);
  assert.equal((await loadConvNeXt(other, tiny)).report.preprocessing!.mean[0], 0.485);
});

test('another activation in config.json of Hugging Face is refused', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'model.safetensors');
  await writeSafetensors(file, (await readSafetensors(fixture('convnext-transformers.safetensors'))).tensors);
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ hidden_act: 'relu' }));
  await assert.rejects(loadConvNeXt(folder, tiny), requestError(/hidden_act: expected gelu .*received relu/));
});
