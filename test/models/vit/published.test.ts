import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  narrowToBFloat16,
  narrowToHalf,
  widenBFloat16,
  widenHalf,
} from '../../../src/models/pretrained/formats/half.js';
import { readSafetensors, writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { inspectNetwork, type LoadOptions, loadStateDict } from '../../../src/models/pretrained/load-network.js';
import { viTArchitecture } from '../../../src/models/vit/architecture.js';
import type { ViTVariant } from '../../../src/models/vit/variants.js';
import { float32, type StateDict } from '../../../src/shared/arrays.js';
import { fixture, fixtureJson, requestError, temporaryFolder } from '../pretrained/fixtures.js';

/** The network of test/fixtures/checkpoints/make.py. */
const tiny: ViTVariant = {
  name: 'vit_test',
  width: 8,
  depth: 2,
  heads: 2,
  mlpRatio: 4,
  patchSize: 4,
  imageSize: 16,
  classes: 5,
};

function loadViT(source: string, variant: ViTVariant, options?: LoadOptions) {
  return loadStateDict(source, viTArchitecture(variant), options);
}

const { tensors: timm } = await readSafetensors(fixture('vit-timm.safetensors'));

/** A file with timm's tensors, changed. */
async function changed(t: TestContext, change: (tensors: StateDict) => StateDict): Promise<string> {
  const file = path.join(temporaryFolder(t), 'changed.safetensors');
  await writeSafetensors(file, change({ ...timm }));
  return file;
}

const withTensor =
  (name: string, shape: readonly number[] = [1]) =>
  (tensors: StateDict) => ({
    ...tensors,
    [name]: float32(shape),
  });

const without = (pattern: RegExp) => (tensors: StateDict) =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => !pattern.test(name)));

const renamed = (rename: (name: string) => string) => (tensors: StateDict) =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));

test('loads timm names as they are', async () => {
  const { weights, report } = await loadViT(fixture('vit-timm.safetensors'), tiny);
  assert.deepEqual(weights, timm);
  const location = fixture('vit-timm.safetensors');
  const { preprocessing: _, assumed: __, ...rest } = report;
  assert.deepEqual(rest, { location, flavour: 'timm', head: 'kept', unused: [], notes: [] });
});

test('loads the names of Hugging Face transformers, with and without prefix', async (t) => {
  const file = fixture('vit-transformers.safetensors');
  const { weights, report } = await loadViT(file, tiny);
  assert.deepEqual(weights, timm);
  assert.equal(report.flavour, 'Hugging Face transformers');

  const base = path.join(temporaryFolder(t), 'base.safetensors');
  const theirs = (await readSafetensors(file)).tensors;
  const baseModel = without(/^classifier/)(renamed((name) => name.replace(/^vit\./, ''))(theirs));
  await writeSafetensors(base, { ...baseModel, 'pooler.dense.bias': float32([8]) });
  const loaded = await loadViT(base, tiny);
  assert.deepEqual(loaded.weights, without(/^head/)(timm));
  assert.equal(loaded.report.head, 'absent');
  assert.deepEqual(loaded.report.unused, ['pooler.dense.bias']);
});

test('loads shards of a folder as the whole file', async (t) => {
  const folder = temporaryFolder(t);
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
  await writeSafetensors(path.join(folder, shards[0]), without(/^blocks\.1/)(timm));
  await writeSafetensors(path.join(folder, shards[1]), without(/^(?!blocks\.1)/)(timm));
  const shardOf = (name: string) => [name, shards[name.startsWith('blocks.1') ? 1 : 0]];
  const index = { metadata: {}, weight_map: Object.fromEntries(Object.keys(timm).map(shardOf)) };
  writeFileSync(path.join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  assert.deepEqual((await loadViT(folder, tiny)).weights, timm);
});

for (const [dtype, narrow, widen] of [
  ['F16', narrowToHalf, widenHalf],
  ['BF16', narrowToBFloat16, widenBFloat16],
] as const) {
  test(`loads ${dtype} weights, widened`, async (t) => {
    const file = path.join(temporaryFolder(t), 'narrow.safetensors');
    await writeSafetensors(file, timm, { dtype });
    const { weights } = await loadViT(file, tiny);
    for (const [name, { data }] of Object.entries(timm)) {
      assert.deepEqual(weights[name]!.data, widen(narrow(Float32Array.from(data))), name);
    }
  });
}

const { tensors: google } = await readSafetensors(fixture('vit-google-expected.safetensors'));

for (const name of ['vit-google', 'vit-google-target', 'vit-big-vision', 'vit-big-vision-together']) {
  test(`loads ${name}.npz as timm does`, async () => {
    // timm reads the head also where a representation layer stands before it; here it is replaced then.
    const withHead = name.startsWith('vit-big-vision');
    const { weights, report } = await loadViT(fixture(`${name}.npz`), tiny, withHead ? {} : { classes: 3 });
    const wanted = withHead ? google : without(/^head/)(google);
    assert.deepEqual(Object.keys(weights).sort(), Object.keys(wanted).sort());
    for (const [tensor, expected] of Object.entries(wanted)) assert.deepEqual(weights[tensor], expected, tensor);
    assert.equal(report.flavour, 'Google npz');
    assert.equal(report.unused.filter((unused) => unused.includes('pre_logits')).length, withHead ? 0 : 2);
    if (!withHead) await assert.rejects(loadViT(fixture(`${name}.npz`), tiny), requestError(/pre_logits/));
  });
}

test('a prefix of a wrapper and a linear patch embedding of old files are understood', async (t) => {
  const flat = float32([8, 48], timm['patch_embed.proj.weight']!.data);
  const file = await changed(t, (tensors) =>
    renamed((name) => `module.${name}`)({ ...tensors, 'patch_embed.proj.weight': flat }),
  );
  assert.deepEqual((await loadViT(file, tiny)).weights, timm);
  const compiled = await changed(
    t,
    renamed((name) => `_orig_mod.module.${name}`),
  );
  assert.deepEqual((await loadViT(compiled, tiny)).weights, timm);
  const theirs = (await readSafetensors(fixture('vit-transformers.safetensors'))).tensors;
  const wrapped = path.join(temporaryFolder(t), 'wrapped.safetensors');
  await writeSafetensors(wrapped, renamed((name) => `_orig_mod.${name}`)(theirs));
  assert.deepEqual((await loadViT(wrapped, tiny)).weights, timm);
});

test('a file of two networks is refused, with a tensor of each', async (t) => {
  const both = await changed(t, (tensors) => ({ ...tensors, ...renamed((name) => `module.${name}`)(tensors) }));
  await assert.rejects(
    loadViT(both, tiny),
    requestError(/holds several networks: it has (module\.)?patch_embed\.proj\.weight and /),
  );
});

test('a head of another size is left out', async () => {
  const { weights, report } = await loadViT(fixture('vit-timm.safetensors'), tiny, { classes: 3 });
  assert.deepEqual(weights, without(/^head/)(timm));
  assert.equal(report.head, 'replaced');
  assert.deepEqual(report.unused, []);
  const kept = await loadViT(fixture('vit-timm.safetensors'), tiny, { classes: 5 });
  assert.equal(kept.report.head, 'kept');
});

for (const [file, expectedFile] of [
  ['vit-timm.safetensors', 'vit-positions.json'],
  ['vit-google.npz', 'vit-google-positions.json'],
] as const) {
  test(`the position embedding of ${file} is resampled as timm does`, async () => {
    for (const [image, expected] of Object.entries(fixtureJson<Record<string, number[]>>(expectedFile))) {
      const imageSize = Number(image);
      const { weights, report } = await loadViT(fixture(file), { ...tiny, imageSize }, { classes: 3 });
      const { shape, data } = weights['pos_embed']!;
      assert.deepEqual(shape, [1, 1 + (imageSize / 4) ** 2, 8]);
      // torch sums in float32
      for (const [index, value] of expected.entries())
        assert.ok(Math.abs(data[index]! - value) < 2e-6, `${image} ${index}`);
      assert.deepEqual(report.resampled, { from: 4, to: imageSize / 4 });
      const grid = `of 4 x 4 patches is resampled to ${imageSize / 4} x ${imageSize / 4}`;
      assert.ok(report.notes.some((note) => note.includes(grid)));
      const about = await inspectNetwork(fixture(file), viTArchitecture({ ...tiny, imageSize }));
      assert.ok(about.notes.some((note) => note.includes(grid)));
    }
  });
}

test('missing tensors are listed', async (t) => {
  const file = await changed(t, without(/^blocks\.1\.norm1|^norm\.bias/));
  await assert.rejects(
    loadViT(file, tiny),
    requestError(/lacks 3 tensors of vit_test: blocks\.1\.norm1\.weight, blocks\.1\.norm1\.bias, norm\.bias/),
  );
  await assert.rejects(
    loadViT(await changed(t, without(/^cls_token/)), tiny),
    requestError(/lacks 1 tensors.*cls_token/),
  );
});

test('tensors that change no logits are named', async (t) => {
  const file = await changed(t, withTensor('decoder_blocks.0.norm1.weight'));
  const { report } = await loadViT(file, tiny);
  assert.deepEqual(report.unused, ['decoder_blocks.0.norm1.weight']);
  assert.deepEqual(report.notes, [
    `${file}: not used, because vit_test has no place for it: decoder_blocks.0.norm1.weight`,
  ]);
});

const additions: [name: string, what: RegExp][] = [
  ['ssf_scale_1', /SSF/],
  ['blocks.0.attn.ssf_shift_1', /SSF/],
  ['prompt_embeddings', /VPT/],
  ['blocks.1.attn.qkv.lora_A', /LoRA/],
  ['blocks.0.attn.norm.weight', /inside its blocks/],
  ['blocks.1.mlp.norm.bias', /inside its blocks/],
];

for (const [name, what] of additions) {
  test(`refuses ${name}, which changes the logits`, async (t) => {
    const file = await changed(t, withTensor(name));
    await assert.rejects(loadViT(file, tiny), requestError(what, new RegExp(name.replaceAll('.', '\\.'))));
    // Inside the names of Google's and others, whatever the prefix.
    const wrapped = await changed(t, (tensors) => renamed((own) => `module.${own}`)(withTensor(name)(tensors)));
    await assert.rejects(loadViT(wrapped, tiny), requestError(what));
  });
}

test('buffers inside a block change nothing', async (t) => {
  const { report } = await loadViT(await changed(t, withTensor('blocks.0.attn.relative_position_index')), tiny);
  assert.deepEqual(report.unused, ['blocks.0.attn.relative_position_index']);
});

test('a representation layer changes the logits of the head behind it, and of no other', async (t) => {
  const file = await changed(t, withTensor('pre_logits.fc.bias'));
  await assert.rejects(loadViT(file, tiny), requestError(/pre_logits/));
  assert.deepEqual((await loadViT(file, tiny, { classes: 3 })).report.unused, ['pre_logits.fc.bias']);
});

test('a head of zeros is said', async (t) => {
  const file = await changed(t, withTensor('head.weight', [5, 8]));
  const { report } = await loadViT(file, tiny);
  assert.match(report.notes.join(), /head\.weight\) is all zeros/);
  assert.deepEqual((await loadViT(fixture('vit-timm.safetensors'), tiny)).report.notes, []);
});

test('the normalisation is that of config.json, else of the names; what is assumed is said', async (t) => {
  const folder = temporaryFolder(t);
  const load = async (name: string) => {
    await writeSafetensors(path.join(folder, name), timm);
    return (await loadViT(path.join(folder, name), tiny)).report;
  };
  const unnamed = await load('weights.safetensors');
  assert.deepEqual(unnamed.preprocessing!.mean, [0.5, 0.5, 0.5]);
  assert.match(unnamed.assumed!, /nothing tells how its images were normalised; assumed: mean 0\.5, 0\.5, 0\.5/);
  const deit = await load('deit_tiny.safetensors');
  assert.deepEqual([deit.preprocessing!.mean, deit.assumed], [[0.485, 0.456, 0.406], undefined]);
  const masked = await loadViT(await changed(t, withTensor('mask_token')), tiny);
  assert.deepEqual([masked.report.preprocessing!.std[0], masked.report.assumed], [0.229, undefined]);
  const google = (await loadViT(fixture('vit-big-vision.npz'), tiny)).report;
  assert.deepEqual([google.preprocessing!.mean[0], google.assumed], [0.5, undefined]);
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ mean: [0.1, 0.2, 0.3], std: [1, 1, 1] }));
  const configured = await load('deit_tiny.safetensors');
  assert.deepEqual([configured.preprocessing!.mean, configured.assumed], [[0.1, 0.2, 0.3], undefined]);
});

test('a wrong shape is told with both shapes', async (t) => {
  const scalar = await changed(t, withTensor('head.bias', []));
  await assert.rejects(loadViT(scalar, tiny), requestError(/head\.weight has shape \[5, 8\]/));
  const file = await changed(t, withTensor('blocks.0.mlp.fc1.weight', [24, 8]));
  await assert.rejects(
    loadViT(file, tiny),
    requestError(/blocks\.0\.mlp\.fc1\.weight has shape \[24, 8\], vit_test needs \[32, 8\]/),
  );
  const position = await changed(t, withTensor('pos_embed', [1, 16, 8]));
  await assert.rejects(loadViT(position, tiny), requestError(/pos_embed has shape \[1, 16, 8\].*needs \[1, 17, 8\]/));
});

test('numbers that are not finite are refused', async (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const file = await changed(t, (tensors) => ({
      ...tensors,
      'norm.bias': float32([8], new Float32Array(8).fill(value, 3)),
    }));
    await assert.rejects(loadViT(file, tiny), requestError(new RegExp(`norm\\.bias holds ${value} \\(element 3\\)`)));
  }
});

test('another size of network is refused with its name', async () => {
  const small: ViTVariant = { ...tiny, name: 'vit_other', width: 16, depth: 3 };
  await assert.rejects(
    loadViT(fixture('vit-timm.safetensors'), small),
    requestError(/holds a vision transformer with width 8, depth 2, patch size 4, but vit_other has width 16, depth 3/),
  );
  // The linear weights of two and four heads have the same shapes once they are flat.
  await assert.rejects(
    loadViT(fixture('vit-google.npz'), { ...tiny, heads: 4 }),
    requestError(/patch size 4, 2 heads, but vit_test has .*4 heads/),
  );
});

test('heads and activation of Hugging Face are those of config.json, which no tensor tells', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'model.safetensors');
  await writeSafetensors(file, (await readSafetensors(fixture('vit-transformers.safetensors'))).tensors);
  const load = (config: object) => {
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
    return loadViT(folder, tiny);
  };
  assert.deepEqual((await load({ num_attention_heads: 2, hidden_act: 'gelu' })).weights, timm);
  assert.deepEqual((await load(['nothing of it'])).weights, timm);
  await assert.rejects(
    load({ num_attention_heads: 4 }),
    requestError(/patch size 4, 4 heads, but vit_test has .*2 heads/),
  );
  await assert.rejects(
    load({ hidden_act: 'quick_gelu' }),
    requestError(/hidden_act: expected gelu .*received quick_gelu/),
  );
  assert.deepEqual((await load({ layer_norm_eps: 1e-12 })).weights, timm);
  await assert.rejects(
    load({ layer_norm_eps: 1e-3 }),
    requestError(/layer_norm_eps: expected at most 0\.00001, received 0\.001/),
  );
});

test('a known size is named', async (t) => {
  const file = path.join(temporaryFolder(t), 'tiny.safetensors');
  const blocks = Array.from({ length: 12 }, (_, index) => [`blocks.${index}.norm1.bias`, float32([192])] as const);
  await writeSafetensors(file, {
    ...Object.fromEntries(blocks),
    cls_token: float32([1, 1, 192]),
    'patch_embed.proj.weight': float32([192, 3, 16, 16]),
  });
  await assert.rejects(loadViT(file, tiny), requestError(/looks like vit_tiny_patch16_224/));
});

const others: [name: string, what: RegExp][] = [
  ['blocks.0.ls1.gamma', /layer scale \(DeiT-3/],
  ['blocks.0.gamma_1', /layer scale/],
  ['dist_token', /distilled DeiT/],
  ['reg_token', /register tokens/],
  ['fc_norm.weight', /averages its tokens/],
  ['patch_embed.norm.weight', /normalises its patches/],
  ['norm_pre.weight', /CLIP/],
  ['blocks.0.attn.q_norm.weight', /normalises queries/],
];

for (const [name, what] of others) {
  test(`refuses weights with ${name}`, async (t) => {
    await assert.rejects(
      loadViT(await changed(t, withTensor(name)), tiny),
      requestError(what, new RegExp(name), /plain/),
    );
  });
}

test('refuses what is no vision transformer', async (t) => {
  const only = (name: string) => changed(t, () => ({ [name]: float32([1]) }));
  const file = fixture('convnext-timm.safetensors');
  await assert.rejects(loadViT(file, tiny), requestError(/holds a ConvNeXt, not a plain vision transformer/));
  await assert.rejects(loadViT(await only('model.embed_tokens.weight'), tiny), requestError(/LLaMA/));
  await assert.rejects(loadViT(await only('base_model.model.x.lora_A.weight'), tiny), requestError(/PEFT adapter/));
  await assert.rejects(
    loadViT(await only('x'), tiny),
    requestError(/does not look like a vision transformer: it has x/),
  );
  await assert.rejects(loadViT(await changed(t, () => ({})), tiny), requestError(/no tensors at all/));
});
