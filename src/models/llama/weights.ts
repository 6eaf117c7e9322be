/**
 * Between the tensors of a LLaMA folder of Hugging Face (linear weights [out, in]) and the tree that the network computes
 * with (linear weights [in, out]).
 */
import type { Float32NdArray, StateDict } from '../../shared/arrays.js';
import { permuted } from '../pretrained/formats/layout.js';
import type { LlamaConfig } from './config.js';
import { type LlamaBlock, type LlamaWeights, type ProjectionName, projections } from './llama.js';

/** Names of the linear layers inside `model.layers.N`. */
const layerNames: Readonly<Record<ProjectionName, string>> = {
  query: 'self_attn.q_proj',
  key: 'self_attn.k_proj',
  value: 'self_attn.v_proj',
  output: 'self_attn.o_proj',
  gate: 'mlp.gate_proj',
  up: 'mlp.up_proj',
  down: 'mlp.down_proj',
};

export const tokensName = 'model.embed_tokens.weight';
export const headName = 'lm_head.weight';

/** Old conversions store what the rotary angles are made of; it follows from the configuration. */
export const isDerived = (name: string) => name.endsWith('.rotary_emb.inv_freq');

/** Names and shapes of all tensors that a network needs, as a folder of Hugging Face has them. */
export function llamaShapes(config: LlamaConfig): ReadonlyMap<string, readonly number[]> {
  const { width, depth, heads, keyValueHeads, headWidth, mlpWidth, vocabulary, tied } = config;
  const linear: Readonly<Record<ProjectionName, readonly number[]>> = {
    query: [heads * headWidth, width],
    key: [keyValueHeads * headWidth, width],
    value: [keyValueHeads * headWidth, width],
    output: [width, heads * headWidth],
    gate: [mlpWidth, width],
    up: [mlpWidth, width],
    down: [width, mlpWidth],
  };
  const shapes = new Map<string, readonly number[]>([[tokensName, [vocabulary, width]]]);
  for (let index = 0; index < depth; index++) {
    const block = `model.layers.${index}`;
    shapes.set(`${block}.input_layernorm.weight`, [width]);
    for (const name of projections) shapes.set(`${block}.${layerNames[name]}.weight`, linear[name]);
    shapes.set(`${block}.post_attention_layernorm.weight`, [width]);
  }
  shapes.set('model.norm.weight', [width]);
  if (!tied) shapes.set(headName, [vocabulary, width]);
  return shapes;
}

/** How leaves of the tree are made from tensors of the file, by Hugging Face's name. */
export interface LeafReader<T> {
  /** A norm, the embedding or the head, as it lies in the file. */
  asStored(name: string): Promise<T>;
  /** A linear layer, given as [out, in]. */
  linear(name: string): Promise<T>;
}

/** Makes the tree, one tensor after the other in the order of the network. */
export async function llamaTree<T>({ depth, tied }: LlamaConfig, read: LeafReader<T>): Promise<LlamaWeights<T>> {
  const embedding = { tokens: await read.asStored(tokensName) };
  const blocks: LlamaBlock<T>[] = [];
  for (let index = 0; index < depth; index++) {
    const block = `model.layers.${index}`;
    const linear = async (name: ProjectionName) => ({
      weight: await read.linear(`${block}.${layerNames[name]}.weight`),
    });
    blocks.push({
      attentionNorm: { scale: await read.asStored(`${block}.input_layernorm.weight`) },
      query: await linear('query'),
      key: await linear('key'),
      value: await linear('value'),
      output: await linear('output'),
      mlpNorm: { scale: await read.asStored(`${block}.post_attention_layernorm.weight`) },
      gate: await linear('gate'),
      up: await linear('up'),
      down: await linear('down'),
    });
  }
  const norm = { scale: await read.asStored('model.norm.weight') };
  return { embedding, blocks, norm, ...(!tied && { head: { tokens: await read.asStored(headName) } }) };
}

/** Back to the names and layouts of Hugging Face. */
export function llamaStateDictOf({ embedding, blocks, norm, head }: LlamaWeights<Float32NdArray>): StateDict {
  const tensors: StateDict = { [tokensName]: embedding.tokens, 'model.norm.weight': norm.scale };
  if (head) tensors[headName] = head.tokens;
  for (const [index, block] of blocks.entries()) {
    const name = `model.layers.${index}`;
    tensors[`${name}.input_layernorm.weight`] = block.attentionNorm.scale;
    tensors[`${name}.post_attention_layernorm.weight`] = block.mlpNorm.scale;
    for (const projection of projections) {
      tensors[`${name}.${layerNames[projection]}.weight`] = permuted(block[projection].weight, [1, 0]);
    }
  }
  return tensors;
}
