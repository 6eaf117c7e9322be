/**
 * The shape of a LLaMA network as `config.json` of Hugging Face's transformers gives it (LlamaConfig in
 * transformers/models/llama/configuration_llama.py). What would change the mathematics and is not built is refused by name.
 */
import path from 'node:path';
import { z } from 'zod';
import { check, show } from '../../config/problems.js';
import { RequestError } from '../../shared/errors.js';
import { readJson } from '../../shared/files.js';

export interface LlamaConfig {
  /** Features of a token. */
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Heads of keys and values, each read by `heads / keyValueHeads` heads of queries. */
  readonly keyValueHeads: number;
  readonly headWidth: number;
  /** Features inside the MLP. */
  readonly mlpWidth: number;
  readonly vocabulary: number;
  /** Added to the mean square in RMSNorm. */
  readonly epsilon: number;
  /** Base of the rotary angles. */
  readonly theta: number;
  /** Tokens that the network was trained to see at once. */
  readonly contextLength: number;
  /** The head is the token embedding. */
  readonly tied: boolean;
  /** Special tokens, where the file names them. */
  readonly beginId: number | undefined;
  /** A text ends with any of them. */
  readonly endIds: readonly number[];
}

const count = z.int().positive();
const id = z.int().min(0);

const schema = z.looseObject({
  model_type: z.string().default('llama'),
  hidden_size: count,
  num_hidden_layers: count.max(1000), // the deepest LLaMA has 126
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  vocab_size: count,
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10_000),
  max_position_embeddings: count.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: id.nullish(),
  eos_token_id: z.union([id, z.array(id)]).nullish(),
});

/** What other values of a field mean, and the values that change nothing. */
const refused: Readonly<Record<string, { readonly plain: readonly unknown[]; readonly what: string }>> = {
  hidden_act: { plain: ['silu', 'swish'], what: 'another activation than SiLU' },
  attention_bias: { plain: [false], what: 'biases in the attention' },
  mlp_bias: { plain: [false], what: 'biases in the MLP' },
  sliding_window: { plain: [], what: 'attention to a sliding window' },
  partial_rotary_factor: { plain: [1], what: 'partly rotated heads' },
  quantization_config: { plain: [], what: 'weights that are quantised already' },
  num_local_experts: { plain: [0], what: 'a mixture of experts' },
};

/** Reads `config.json` of a model's folder. Throws a RequestError that names what is missing, wrong or not supported. */
export async function readLlamaConfig(folder: string): Promise<LlamaConfig> {
  const file = path.join(folder, 'config.json');
  return llamaConfigFrom(await readJson(file), file);
}

/** @param location for messages */
export function llamaConfigFrom(json: unknown, location: string): LlamaConfig {
  refuseUnsupported(json, location);
  const result = check(schema, flattened(json));
  if ('problems' in result) {
    const lines = result.problems.map(({ path: where, message }) => `  ${where.join('.') || 'the file'}: ${message}`);
    throw new RequestError(
      [`${location} does not describe a LLaMA network:`, ...lines].join('\n'),
      'Give the folder of a model of the LLaMA family in the layout of Hugging Face.',
    );
  }
  const fields = result.config;
  const config: LlamaConfig = {
    width: fields.hidden_size,
    depth: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    keyValueHeads: fields.num_key_value_heads ?? fields.num_attention_heads,
    headWidth: fields.head_dim ?? fields.hidden_size / fields.num_attention_heads,
    mlpWidth: fields.intermediate_size,
    vocabulary: fields.vocab_size,
    epsilon: fields.rms_norm_eps,
    theta: fields.rope_theta,
    contextLength: fields.max_position_embeddings,
    tied: fields.tie_word_embeddings,
    beginId: fields.bos_token_id ?? undefined,
    endIds: [fields.eos_token_id ?? []].flat(),
  };
  refuseInconsistent(config, location);
  return config;
}

function refuseUnsupported(json: unknown, location: string): void {
  if (typeof json !== 'object' || json === null) return; // reported by the schema
  const fields = json as Record<string, unknown>;
  const refusal = (field: string, what: string) =>
    new RequestError(
      `${location}: ${field} is ${show(fields[field])}: ${what} is not supported`,
      'Supported are plain LLaMA networks: LLaMA 1, Llama 2, TinyLlama, the models of llama2.c.',
    );
  const type = fields['model_type'] ?? 'llama';
  if (type !== 'llama') throw refusal('model_type', 'another family than llama');
  for (const [field, { plain, what }] of Object.entries(refused)) {
    const value = fields[field];
    if (value !== undefined && value !== null && !plain.includes(value)) throw refusal(field, what);
  }
  for (const field of ['rope_scaling', 'rope_parameters']) {
    const rope = fields[field] as { rope_type?: unknown; type?: unknown } | null | undefined;
    if ((rope?.rope_type ?? rope?.type ?? 'default') !== 'default') throw refusal(field, 'scaled rotary positions');
  }
}

/** transformers 5 writes `rope_theta` inside `rope_parameters`. */
function flattened(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const theta = (json as { rope_parameters?: { rope_theta?: unknown } }).rope_parameters?.rope_theta;
  return theta === undefined ? json : { ...json, rope_theta: theta };
}

function refuseInconsistent({ width, heads, keyValueHeads, headWidth }: LlamaConfig, location: string): void {
  const hint = 'The file is damaged or was edited: use the config.json that belongs to the weights.';
  if (!Number.isInteger(headWidth)) {
    throw new RequestError(`${location}: hidden_size ${width} cannot be divided into ${heads} heads`, hint);
  }
  if (headWidth % 2 !== 0) {
    throw new RequestError(`${location}: a head of ${headWidth} features has no halves to rotate`, hint);
  }
  if (heads % keyValueHeads !== 0) {
    throw new RequestError(
      `${location}: ${heads} heads of queries cannot share ${keyValueHeads} heads of keys and values evenly`,
      hint,
    );
  }
}
