/**
 * LLaMA networks that are known by name, so that their stitches can be listed without any weights. Shapes of the published
 * ones: Touvron et al. 2023 (LLaMA, table 2; Llama 2), jzhang38/TinyLlama. Loading compares them with `config.json`.
 */
import { nearest, RequestError } from '../../shared/errors.js';
import type { LlamaConfig } from './config.js';

type Shape = Pick<LlamaConfig, 'width' | 'depth' | 'heads' | 'mlpWidth'> & Partial<LlamaConfig>;

/** LLaMA 1; what other generations changed is in the shape. */
function variant({ keyValueHeads, headWidth, ...shape }: Shape): LlamaConfig {
  return {
    keyValueHeads: keyValueHeads ?? shape.heads,
    headWidth: headWidth ?? shape.width / shape.heads,
    vocabulary: 32_000,
    epsilon: 1e-6,
    theta: 10_000,
    contextLength: 2048,
    tied: false,
    beginId: 1,
    endIds: [2],
    ...shape,
  };
}

const size7b = { width: 4096, depth: 32, heads: 32, mlpWidth: 11_008 };
const size13b = { width: 5120, depth: 40, heads: 40, mlpWidth: 13_824 };
const second = { epsilon: 1e-5, contextLength: 4096 };
/** Of the embedded family: a tied head and MLPs of twice the width keep its files small. */
const mini = { vocabulary: 1024, contextLength: 256, tied: true };

const variants: Readonly<Record<string, LlamaConfig>> = {
  llama_7b: variant(size7b),
  llama_13b: variant(size13b),
  llama2_7b: variant({ ...size7b, ...second }),
  llama2_13b: variant({ ...size13b, ...second }),
  tinyllama_1b: variant({ width: 2048, depth: 22, heads: 32, keyValueHeads: 4, mlpWidth: 5632, epsilon: 1e-5 }),
  llama_mini_small: variant({ width: 64, depth: 4, heads: 2, mlpWidth: 128, ...mini }),
  llama_mini_base: variant({ width: 96, depth: 6, heads: 3, mlpWidth: 192, ...mini }),
};

export const llamaNames: readonly string[] = Object.keys(variants);

/** Throws a RequestError that lists the known ones. */
export function llamaNamed(name: string): LlamaConfig {
  const found = Object.hasOwn(variants, name) ? variants[name] : undefined;
  if (found) return found;
  const near = nearest(name, llamaNames);
  throw new RequestError(
    `architecture ${JSON.stringify(name)} is no known language model${near ? `; did you mean ${near}?` : ''}`,
    `Known language models: ${llamaNames.join(', ')}.`,
  );
}

/** `config.json` of Hugging Face's transformers for a network. */
export function configJsonOf(config: LlamaConfig): object {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: config.width,
    intermediate_size: config.mlpWidth,
    num_hidden_layers: config.depth,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headWidth,
    vocab_size: config.vocabulary,
    max_position_embeddings: config.contextLength,
    rms_norm_eps: config.epsilon,
    rope_theta: config.theta,
    tie_word_embeddings: config.tied,
    bos_token_id: config.beginId,
    eos_token_id: config.endIds[0],
    torch_dtype: 'bfloat16',
  };
}
