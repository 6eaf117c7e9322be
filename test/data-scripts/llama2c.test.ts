/** The layout of llama2.c's files, on one whose numbers count up: where each tensor begins, and how heads are turned. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLlama2c } from '../../data-scripts/llama2c/model.js';

const [width, mlpWidth, vocabulary, contextLength] = [4, 3, 2, 5];

/** One layer, one head; a negative vocabulary says that the head is a matrix of its own. */
function file(signedVocabulary: number): Buffer {
  const head = signedVocabulary < 0 ? vocabulary * width : 0;
  const layer = 2 * width + 4 * width * width + 3 * width * mlpWidth;
  const count = vocabulary * width + layer + width + contextLength * width + head;
  const header = [width, mlpWidth, 1, 1, 1, signedVocabulary, contextLength];
  return Buffer.concat([
    Buffer.from(Int32Array.from(header).buffer),
    Buffer.from(Float32Array.from({ length: count }, (_, index) => index).buffer),
  ]);
}

test('tensors are found in their order; heads of queries and keys are turned from pairs to halves', () => {
  const { tensors, config } = readLlama2c(file(-vocabulary));
  const firsts = Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data[0]]));
  assert.deepEqual(firsts, {
    'model.embed_tokens.weight': 0,
    'model.layers.0.input_layernorm.weight': 8,
    'model.layers.0.self_attn.q_proj.weight': 12,
    'model.layers.0.self_attn.k_proj.weight': 28,
    'model.layers.0.self_attn.v_proj.weight': 44,
    'model.layers.0.self_attn.o_proj.weight': 60,
    'model.layers.0.post_attention_layernorm.weight': 76,
    'model.layers.0.mlp.gate_proj.weight': 80,
    'model.layers.0.mlp.down_proj.weight': 92,
    'model.layers.0.mlp.up_proj.weight': 104,
    'model.norm.weight': 116,
    'lm_head.weight': 140,
  });
  const rows = (name: string) =>
    [0, 4, 8, 12].map((start) => tensors[`model.layers.0.self_attn.${name}.weight`]!.data[start]);
  assert.deepEqual(rows('q_proj'), [12, 20, 16, 24], 'rows 0, 2, 1, 3');
  assert.deepEqual(rows('v_proj'), [44, 48, 52, 56]);
  assert.deepEqual(tensors['model.layers.0.mlp.down_proj.weight']!.shape, [width, mlpWidth]);
  assert.equal(config.tie_word_embeddings, false);
});

test('a shared head is tied; another length is another version', () => {
  const { tensors, config } = readLlama2c(file(vocabulary));
  assert.equal(config.tie_word_embeddings, true);
  assert.ok(!('lm_head.weight' in tensors));
  assert.throws(() => readLlama2c(Buffer.concat([file(vocabulary), Buffer.alloc(4)])), /not of version 0/);
});
