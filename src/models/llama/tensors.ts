/** The tensors of a LLaMA network, with the names of Hugging Face (transformers/models/llama/modeling_llama.py). */
import { drawn, ones, type PlacelessRow, placed, type TensorRow, tensor } from '../tensor-table.js';
import type { LlamaConfig } from './config.js';

/** In the order of the tree (`LlamaWeights`), the head included where it is a matrix of its own. */
export function llamaTensors(config: LlamaConfig): TensorRow[] {
  const { width, depth, vocabulary, tied } = config;
  const tokens = (path: string, published: string) => [tensor(path, published, [vocabulary, width], drawn)];
  return [
    ...placed({ part: 'embedding' }, tokens('embedding/tokens', 'model.embed_tokens.weight')),
    ...Array.from({ length: depth }, (_, block) => placed({ part: 'block', block }, blockRows(block, config))).flat(),
    ...placed({ part: 'norm' }, [scale('norm', 'model.norm', width)]),
    ...(tied ? [] : placed({ part: 'head' }, tokens('head/tokens', 'lm_head.weight'))),
  ];
}

/** Old conversions store what the rotary angles are made of: it follows from the configuration. */
export function isDerived(published: string): boolean {
  return published.endsWith('.rotary_emb.inv_freq');
}

function blockRows(block: number, config: LlamaConfig): PlacelessRow[] {
  const { width, heads, keyValueHeads, headWidth, mlpWidth } = config;
  const [path, published] = [`blocks/${block}`, `model.layers.${block}`];
  const linear = (name: string, module: string, from: number, to: number): PlacelessRow => ({
    path: `${path}/${name}/weight`,
    published: `${published}.${module}.weight`,
    shape: [from, to],
    layout: 'linear',
    initial: drawn,
  });
  return [
    scale(`${path}/attentionNorm`, `${published}.input_layernorm`, width),
    linear('query', 'self_attn.q_proj', width, heads * headWidth),
    linear('key', 'self_attn.k_proj', width, keyValueHeads * headWidth),
    linear('value', 'self_attn.v_proj', width, keyValueHeads * headWidth),
    linear('output', 'self_attn.o_proj', heads * headWidth, width),
    scale(`${path}/mlpNorm`, `${published}.post_attention_layernorm`, width),
    linear('gate', 'mlp.gate_proj', width, mlpWidth),
    linear('up', 'mlp.up_proj', width, mlpWidth),
    linear('down', 'mlp.down_proj', mlpWidth, width),
  ];
}

function scale(path: string, published: string, width: number): PlacelessRow {
  return tensor(`${path}/scale`, `${published}.weight`, [width], ones);
}
