/** The tensors of a LLaMA network, with the names of Hugging Face (transformers/models/llama/modeling_llama.py). */
import { drawn, ones, type PlacelessRow, placed, type TensorRow, tensor } from '../tensor-table.js';
import type { LlamaConfig } from './config.js';

/** The linear layers of a block. alpaca-lora adapts query and value, or the first four. */
export const projections = ['query', 'key', 'value', 'output', 'gate', 'up', 'down'] as const;
export type ProjectionName = (typeof projections)[number];

/** Hugging Face's names inside a block. */
export const projectionModules: Readonly<Record<ProjectionName, string>> = {
  query: 'self_attn.q_proj',
  key: 'self_attn.k_proj',
  value: 'self_attn.v_proj',
  output: 'self_attn.o_proj',
  gate: 'mlp.gate_proj',
  up: 'mlp.up_proj',
  down: 'mlp.down_proj',
};

/** Features that go into a linear layer of a block, and that come out. */
export function projectionWidths({
  width,
  heads,
  keyValueHeads,
  headWidth,
  mlpWidth,
}: LlamaConfig): Readonly<Record<ProjectionName, { readonly from: number; readonly to: number }>> {
  const [queries, values] = [heads * headWidth, keyValueHeads * headWidth];
  return {
    query: { from: width, to: queries },
    key: { from: width, to: values },
    value: { from: width, to: values },
    output: { from: queries, to: width },
    gate: { from: width, to: mlpWidth },
    up: { from: width, to: mlpWidth },
    down: { from: mlpWidth, to: width },
  };
}

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
  const { width } = config;
  const [path, published] = [`blocks/${block}`, `model.layers.${block}`];
  const widths = projectionWidths(config);
  const linear = (name: ProjectionName): PlacelessRow => ({
    path: `${path}/${name}/weight`,
    published: `${published}.${projectionModules[name]}.weight`,
    shape: [widths[name].from, widths[name].to],
    layout: 'linear',
    initial: drawn,
  });
  return [
    scale(`${path}/attentionNorm`, `${published}.input_layernorm`, width),
    ...(['query', 'key', 'value', 'output'] as const).map(linear),
    scale(`${path}/mlpNorm`, `${published}.post_attention_layernorm`, width),
    ...(['gate', 'up', 'down'] as const).map(linear),
  ];
}

function scale(path: string, published: string, width: number): PlacelessRow {
  return tensor(`${path}/scale`, `${published}.weight`, [width], ones);
}
