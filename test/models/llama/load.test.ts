/** Folders of Hugging Face: single files and shards, what is left over, and what is refused with a way out. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { loadLlama } from '../../../src/models/llama/load.js';
import { float32 } from '../../../src/shared/arrays.js';
import { RequestError } from '../../../src/shared/errors.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { tinyLlama, writeTinyLlama } from './tiny-llama.js';

const tiny = tinyLlama();

for (const shards of [1, 3]) {
  test(`a folder with ${shards} weight files`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeTinyLlama(folder, tiny, { shards });
    const shares: number[] = [];
    const { weights, config, params, unused } = await loadLlama(folder, {
      onTensor: (share) => shares.push(share),
    });
    assert.deepEqual(weights, tiny.weights);
    assert.deepEqual(config, tiny.config);
    // By hand: 2 x 420 x 16 tokens, 2 blocks of 2 x 16 + 16 x 16 + 2 x 16 x 8 + 16 x 16 + 3 x 16 x 24, and 16.
    assert.equal(params, 2 * 420 * 16 + 2 * (32 + 256 + 256 + 256 + 1152) + 16);
    assert.deepEqual([shares.length, shares.at(-1)], [Object.keys(tiny.stateDict).length, 1]);
    assert.deepEqual(unused, []);
  });
}

test('tied embeddings need no head; rotary tables of old conversions are no leftovers, other tensors are', async (t) => {
  const folder = await temporaryFolder(t);
  const stateDict = {
    ...tiny.stateDict,
    'model.layers.0.self_attn.rotary_emb.inv_freq': float32([2]),
    'model.vision.weight': float32([16]),
  };
  await writeTinyLlama(folder, { ...tiny, stateDict }, { json: { tie_word_embeddings: true } });
  const { weights, unused } = await loadLlama(folder);
  assert.equal(weights.head, undefined);
  assert.deepEqual(unused, ['lm_head.weight', 'model.vision.weight']);
});

test('tensors that a plain network does not compute with are refused: without them it is another one', async (t) => {
  const folder = await temporaryFolder(t);
  const refused = async (name: string, message: RegExp) => {
    await writeTinyLlama(folder, { ...tiny, stateDict: { ...tiny.stateDict, [name]: float32([16]) } });
    await assert.rejects(loadLlama(folder), (error) => error instanceof RequestError && message.test(error.message));
  };
  await refused('model.layers.2.input_layernorm.weight', /inside its blocks .* model\.layers\.2\.input_layernorm/);
  await refused('model.layers.0.self_attn.q_proj.bias', /q_proj\.bias/);
  await refused('model.layers.0.self_attn.q_proj.SCB', /q_proj\.SCB/);
  await refused('model.layers.0.self_attn.q_proj.lora_A.weight', /lora_A/);
});

test('weights that do not fit config.json are refused', async (t) => {
  const folder = await temporaryFolder(t);
  const refused = async (json: object, message: RegExp) => {
    await writeTinyLlama(folder, tiny, { json });
    await assert.rejects(loadLlama(folder), (error) => error instanceof RequestError && message.test(error.message));
  };
  await refused({ num_hidden_layers: 3 }, /lacks 9 tensors .*model\.layers\.2\.input_layernorm\.weight/);
  await refused({ intermediate_size: 20 }, /mlp\.gate_proj\.weight has shape \[24, 16\], .* needs \[20, 16\]/);
  await refused({ hidden_act: 'relu' }, /hidden_act is "relu"/);
});

test('a missing shard is named', async (t) => {
  const folder = await temporaryFolder(t);
  await writeTinyLlama(folder, tiny, { shards: 2 });
  await rm(path.join(folder, 'model-00002-of-00002.safetensors'));
  await assert.rejects(loadLlama(folder), /model-00002-of-00002\.safetensors does not exist/);
});

const formats: Readonly<Record<string, readonly [RegExp, RegExp]>> = {
  'model-q8.gguf': [/as GGUF \(model-q8\.gguf\)/, /gguf_file='model-q8\.gguf'.*save_pretrained/],
  'consolidated.00.pth': [/Meta's pickles/, /convert_llama_weights_to_hf/],
  'pytorch_model-00001-of-00033.bin': [/pickle/, /from_pretrained.*save_pretrained/],
  'stories15M.bin': [/llama2\.c/, /llama2c-to-hf\.js .*stories15M\.bin/],
  'notes.txt': [/has no weights/, /model\.safetensors/],
};

for (const [name, [message, hint]] of Object.entries(formats)) {
  test(`a folder with ${name} only is refused, with what to do`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(path.join(folder, name), '');
    await assert.rejects(loadLlama(folder), (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, message);
      assert.match(error.hint!, hint);
      return true;
    });
  });
}

test('a file in place of the folder is refused as what it is', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'model.gguf');
  await writeFile(file, '');
  await assert.rejects(loadLlama(file), /as GGUF/);
  await assert.rejects(loadLlama(path.join(folder, 'none')), /does not exist/);
});
