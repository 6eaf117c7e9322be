/** PEFT adapters: names, shapes and configuration as PEFT has them (huggingface/peft, docs developer_guides/checkpoint). */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type PeftAdapter, readAdapter, writeAdapter } from '../../../src/models/peft/adapter.js';
import { readSafetensors, writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { float32, type StateDict } from '../../../src/shared/arrays.js';
import { RequestError } from '../../../src/shared/errors.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { fixture } from '../../fixture.js';

const module = 'model.layers.0.self_attn.q_proj';
/** A [rank 1, in 3] and B [out 2, rank 1] */
const a = float32([1, 3], Float32Array.of(1, 2, 3));
const b = float32([2, 1], Float32Array.of(5, 7));
const stored = (name: string): StateDict => ({
  [`base_model.model.${name}.lora_A.weight`]: a,
  [`base_model.model.${name}.lora_B.weight`]: b,
});

async function folderWith(context: TestContext, config: object, tensors: StateDict): Promise<string> {
  const folder = await temporaryFolder(context);
  await writeFile(path.join(folder, 'adapter_config.json'), JSON.stringify({ peft_type: 'LORA', ...config }));
  await writeSafetensors(path.join(folder, 'adapter_model.safetensors'), tensors);
  return folder;
}

test('matrices are turned: A [rank, in] and B [out, rank] there, [in, rank] and [rank, out] here', async (t) => {
  const adapter = await readAdapter(await folderWith(t, { r: 1, lora_alpha: 16 }, stored(module)));
  assert.deepEqual([...adapter], [[module, { down: float32([3, 1], a.data), up: float32([1, 2], b.data), scale: 16 }]]);
});

test('the factor is alpha / rank, for some layers another; rsLoRA takes the root', async (t) => {
  const four = { A: float32([4, 3]), B: float32([2, 4]) };
  const tensors = Object.fromEntries(
    [module, 'model.layers.0.mlp.down_proj'].flatMap((name) =>
      Object.entries(four).map(([half, tensor]) => [`base_model.model.${name}.lora_${half}.weight`, tensor]),
    ),
  );
  const scales = async (config: object) =>
    [...(await readAdapter(await folderWith(t, config, tensors))).values()].map(({ scale }) => scale);
  assert.deepEqual(await scales({}), [2, 2], 'alpha is 8 by default');
  assert.deepEqual(await scales({ lora_alpha: 8, use_rslora: true }), [4, 4]);
  // Sorted by name: mlp.down_proj first.
  assert.deepEqual(await scales({ alpha_pattern: { 'self_attn.q_proj': 12 } }), [2, 3]);
  assert.deepEqual(await scales({ alpha_pattern: { '.*\\.down_.*': 12, proj: 20 } }), [3, 2], 'whole parts of a path');
  await assert.rejects(scales({ alpha_pattern: { '*q_proj': 8 } }), {
    ...{ name: 'RequestError', message: /alpha_pattern holds "\*q_proj", which is no regular expression/ },
  });
});

test('what is written is what PEFT writes, and is read again', async (t) => {
  const folder = await temporaryFolder(t);
  const update = { down: float32([3, 1], a.data), up: float32([1, 2], b.data), scale: 2 };
  const adapter: PeftAdapter = new Map([
    ['model.layers.0.self_attn.v_proj', update],
    [module, update],
  ]);
  await writeAdapter(folder, adapter, 'llama-7b');
  const { tensors, metadata } = await readSafetensors(path.join(folder, 'adapter_model.safetensors'));
  assert.deepEqual(tensors, { ...stored(module), ...stored('model.layers.0.self_attn.v_proj') });
  assert.deepEqual(metadata, { format: 'pt' });
  const text = await readFile(path.join(folder, 'adapter_config.json'), 'utf8');
  const config = JSON.parse(text);
  assert.deepEqual(Object.keys(config), Object.keys(config).sort());
  assert.ok(text.startsWith('{\n  "base_model_name_or_path": "llama-7b",\n'));
  const { peft_type, r, lora_alpha, target_modules, bias, task_type } = config;
  assert.deepEqual([peft_type, r, lora_alpha, bias, task_type], ['LORA', 1, 2, 'none', 'CAUSAL_LM']);
  assert.deepEqual(target_modules, ['q_proj', 'v_proj']);
  assert.deepEqual(new Map([...(await readAdapter(folder))].sort()), new Map([...adapter].sort()));
  const other = new Map([...adapter, ['x', { ...update, scale: 3 }] as const]);
  await assert.rejects(() => writeAdapter(folder, other, ''), /several ranks or factors/);
});

test('biases are divided by the factor: what PEFT has written is written again', async (t) => {
  const adapter = await readAdapter(fixture('peft/adapter'));
  const own = await temporaryFolder(t);
  await writeAdapter(own, adapter, 'network');
  const read = async (folder: string) => readSafetensors(path.join(folder, 'adapter_model.safetensors'));
  const [theirs, ours] = [(await read(fixture('peft/adapter'))).tensors, (await read(own)).tensors];
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  for (const [name, { shape, data }] of Object.entries(theirs)) {
    assert.deepEqual(ours[name]!.shape, shape);
    // Times 3 / 2, and divided by it again.
    assert.ok(
      data.every((value, index) => Math.abs(value - ours[name]!.data[index]!) < 1e-6),
      name,
    );
  }
  const config = async (folder: string) => JSON.parse(await readFile(path.join(folder, 'adapter_config.json'), 'utf8'));
  const written = { ...(await config(own)), init_lora_weights: false };
  const reference = await config(fixture('peft/adapter'));
  assert.deepEqual(written, Object.fromEntries(Object.keys(written).map((name) => [name, reference[name]])));
});

const full = stored(module);
const biased = { ...full, [`base_model.model.${module}.lora_B.bias`]: float32([2], Float32Array.of(1, 2)) };
const refused: Readonly<Record<string, readonly [config: object, tensors: StateDict, message: RegExp]>> = {
  'another method': [{ peft_type: 'IA3' }, full, /peft_type: expected LORA, received "IA3"/],
  DoRA: [{ use_dora: true }, full, /use_dora is true: DoRA is not supported/],
  aLoRA: [{ alora_invocation_tokens: [5] }, full, /alora_invocation_tokens is \[5\]: an update that begins only/],
  biases: [{ bias: 'all' }, full, /bias is "all": biases that are trained/],
  'whole layers': [{ modules_to_save: ['lm_head'] }, full, /modules_to_save is \["lm_head"\]/],
  'other tensors': [{}, { ...full, 'base_model.model.x.bias': b }, /a tensor base_model\.model\.x\.bias, which is no/],
  'a bias of B that the configuration does not name': [{}, biased, /lora_B\.bias, which is no low-rank update/],
  'a bias of another length': [
    { lora_bias: true },
    { ...full, [`base_model.model.${module}.lora_B.bias`]: float32([3]) },
    /A, B and its bias are \[1, 3\] and \[2, 1\] and \[3\]/,
  ],
  'half an update': [{}, { [Object.keys(full)[0]!]: a }, /A and B are \[1, 3\] and missing/],
  'two ranks': [{}, { ...full, [Object.keys(full)[1]!]: float32([2, 2]) }, /A and B are \[1, 3\] and \[2, 2\]/],
  'numbers that are none': [
    {},
    { ...full, [Object.keys(full)[1]!]: float32([2, 1], Float32Array.of(1, NaN)) },
    /finite/,
  ],
  nothing: [{}, {}, /no low-rank updates/],
};

for (const [what, [config, tensors, message]] of Object.entries(refused)) {
  test(`refused: ${what}`, async (t) => {
    const folder = await folderWith(t, config, tensors);
    await assert.rejects(
      () => readAdapter(folder),
      (error) => error instanceof RequestError && message.test(error.message),
    );
  });
}

test('an adapter whose start is taken out of the weights is refused; other starts leave them as they are', async (t) => {
  for (const start of ['pissa', 'pissa_niter_16', 'olora', 'OLoRA', 'loftq', 'corda', 'lora_ga']) {
    await assert.rejects(readAdapter(await folderWith(t, { init_lora_weights: start }, full)), {
      name: 'RequestError',
      message: new RegExp(`: init_lora_weights is "${start}": an update of weights that its start has changed is not`),
      hint: /path_initial_model_for_weight_conversion.* Or: Merge the adapter .*merge_and_unload/,
    });
  }
  for (const start of [true, false, null, 'gaussian', 'Gaussian', 'eva', 'orthogonal']) {
    assert.equal((await readAdapter(await folderWith(t, { init_lora_weights: start }, full))).size, 1, `${start}`);
  }
});

test('a null or an empty list is as good as nothing', async (t) => {
  const config = { modules_to_save: [], layer_replication: null, bias: 'none', use_dora: false, fan_in_fan_out: false };
  assert.equal((await readAdapter(await folderWith(t, config, full))).size, 1);
});

test('refused: a pickle, and a folder with nothing', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(() => readAdapter(folder), /holds no adapter: expected adapter_config\.json/);
  await writeFile(path.join(folder, 'adapter_model.bin'), '');
  await assert.rejects(() => readAdapter(folder), /as a Python pickle/);
});
