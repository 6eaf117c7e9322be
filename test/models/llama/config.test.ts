/** config.json as published models have it (fields from their hub pages), and what is refused by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { llamaConfigFrom } from '../../../src/models/llama/config.js';
import { RequestError } from '../../../src/shared/errors.js';

const llama7b = {
  architectures: ['LlamaForCausalLM'],
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: 'silu',
  hidden_size: 4096,
  intermediate_size: 11008,
  max_position_embeddings: 2048,
  model_type: 'llama',
  num_attention_heads: 32,
  num_hidden_layers: 32,
  rms_norm_eps: 1e-6,
  torch_dtype: 'float16',
  vocab_size: 32000,
};

test('LLaMA 7B: heads of keys and values, rotary base and head width follow', () => {
  assert.deepEqual(llamaConfigFrom(llama7b, 'config.json'), {
    width: 4096,
    depth: 32,
    heads: 32,
    keyValueHeads: 32,
    headWidth: 128,
    mlpWidth: 11008,
    vocabulary: 32000,
    epsilon: 1e-6,
    theta: 10000,
    contextLength: 2048,
    tied: false,
    beginId: 1,
    endIds: [2],
  });
});

test('what an old config.json leaves out has the defaults of LlamaConfig in transformers', () => {
  const { rms_norm_eps: _, max_position_embeddings: __, eos_token_id: ___, model_type: ____, ...bare } = llama7b;
  const config = { ...bare, bos_token_id: null };
  const { epsilon, contextLength, theta, tied, ...tokens } = llamaConfigFrom(config, 'config.json');
  assert.deepEqual([epsilon, contextLength, theta, tied], [1e-6, 2048, 10_000, false]);
  assert.deepEqual([tokens.beginId, tokens.endIds], [undefined, []]);
  const first = llamaConfigFrom({ ...llama7b, bos_token_id: 0, eos_token_id: 0 }, 'config.json');
  assert.deepEqual([first.beginId, first.endIds], [0, [0]], 'ids begin at 0');
});

test('fields that change nothing as they stand are no reason to refuse', () => {
  const plain = { hidden_act: 'swish', attention_bias: false, mlp_bias: false, sliding_window: null };
  const parts = { partial_rotary_factor: 1, num_local_experts: 0, quantization_config: null };
  assert.equal(llamaConfigFrom({ ...llama7b, ...plain, ...parts }, 'config.json').width, 4096);
  assert.throws(() => llamaConfigFrom({ ...llama7b, partial_rotary_factor: 0.5 }, 'c'), /partly rotated heads/);
  assert.throws(() => llamaConfigFrom({ ...llama7b, num_local_experts: 8 }, 'c'), /a mixture of experts/);
});

test('what is no object is refused like an object without fields', () => {
  for (const json of [null, 'llama', [1]]) {
    assert.throws(() => llamaConfigFrom(json, 'config.json'), {
      ...{ name: 'RequestError', message: /^config\.json does not describe a LLaMA network/ },
    });
  }
});

test('grouped heads, head width, several end tokens and the layout of transformers 5 are read', () => {
  const config = llamaConfigFrom(
    {
      ...llama7b,
      num_key_value_heads: 4,
      head_dim: 64,
      eos_token_id: [2, 7],
      rope_scaling: { rope_type: 'default' },
      rope_parameters: { rope_type: 'default', rope_theta: 500000 },
    },
    'config.json',
  );
  assert.deepEqual([config.keyValueHeads, config.headWidth, config.endIds, config.theta], [4, 64, [2, 7], 500000]);
});

const refusals: Readonly<Record<string, readonly [object, RegExp]>> = {
  'another family': [{ model_type: 'mistral' }, /model_type is "mistral"/],
  'scaled positions': [{ rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling is .*scaled rotary positions/],
  'scaled positions by their older name': [{ rope_parameters: { type: 'linear', factor: 2 } }, /rope_parameters is/],
  'scaled positions of transformers 5': [{ rope_parameters: { rope_type: 'llama3' } }, /rope_parameters is/],
  'attention biases': [{ attention_bias: true }, /attention_bias is true/],
  'MLP biases': [{ mlp_bias: true }, /mlp_bias is true/],
  'another activation': [{ hidden_act: 'gelu' }, /hidden_act is "gelu"/],
  'a sliding window': [{ sliding_window: 4096 }, /sliding_window is 4096/],
  'quantised weights': [{ quantization_config: { bits: 4 } }, /quantised already/],
  'heads that do not divide': [{ num_attention_heads: 30 }, /4096 cannot be divided into 30 heads/],
  'uneven groups': [{ num_key_value_heads: 5 }, /32 heads of queries cannot share 5/],
  'odd heads': [{ head_dim: 5 }, /5 features has no halves/],
  'more blocks than any network has': [{ num_hidden_layers: 1e9 }, /num_hidden_layers: expected a number <= 1000/],
  'missing and wrong fields, all at once': [
    { hidden_size: undefined, vocab_size: 'many' },
    /hidden_size: is missing.*\n.*vocab_size: expected a number, received "many"/,
  ],
};

for (const [name, [fields, message]] of Object.entries(refusals)) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => llamaConfigFrom({ ...llama7b, ...fields }, 'a/config.json'),
      (error) => {
        assert.ok(error instanceof RequestError);
        assert.match(error.message, /^a\/config\.json/);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
