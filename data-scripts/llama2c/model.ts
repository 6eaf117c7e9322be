/**
 * The weights of a llama2.c model, version 0 (`legacy_export` in export.py): seven numbers, then all tensors in float32,
 * each kind of all layers together. Queries and keys lie in Meta's interleaved order, Hugging Face's in halves.
 */
import { type Float32NdArray, float32, type StateDict, sizeOf } from '../../src/shared/arrays.js';

export function readLlama2c(bytes: Buffer) {
  const [width, mlpWidth, depth, heads, keyValueHeads, signedVocabulary, contextLength] = Array.from(
    { length: 7 },
    (_, index) => bytes.readInt32LE(4 * index),
  ) as [number, number, number, number, number, number, number];
  const vocabulary = Math.abs(signedVocabulary);
  const tied = signedVocabulary > 0;
  const headWidth = width / heads;
  let position = 28;
  const next = (...shape: number[]): Float32NdArray => {
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, index) => bytes.readFloatLE(position + 4 * index));
    position += 4 * data.length;
    return float32(shape, data);
  };
  const tensors: StateDict = { 'model.embed_tokens.weight': next(vocabulary, width) };
  const layers = (name: string, shape: number[], change = (tensor: Float32NdArray) => tensor) => {
    for (let layer = 0; layer < depth; layer++)
      tensors[`model.layers.${layer}.${name}.weight`] = change(next(...shape));
  };
  layers('input_layernorm', [width]);
  layers('self_attn.q_proj', [width, width], (tensor) => inHalves(tensor, headWidth));
  layers('self_attn.k_proj', [keyValueHeads * headWidth, width], (tensor) => inHalves(tensor, headWidth));
  layers('self_attn.v_proj', [keyValueHeads * headWidth, width]);
  layers('self_attn.o_proj', [width, width]);
  layers('post_attention_layernorm', [width]);
  layers('mlp.gate_proj', [mlpWidth, width]);
  layers('mlp.down_proj', [width, mlpWidth]);
  layers('mlp.up_proj', [mlpWidth, width]);
  tensors['model.norm.weight'] = next(width);
  position += 2 * 4 * contextLength * (headWidth / 2); // cosines and sines of the rotary angles
  if (!tied) tensors['lm_head.weight'] = next(vocabulary, width);
  if (position !== bytes.length) {
    throw new Error(`the file has ${bytes.length} bytes, a model of its header has ${position}: not of version 0`);
  }
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: width,
    intermediate_size: mlpWidth,
    num_hidden_layers: depth,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    vocab_size: vocabulary,
    max_position_embeddings: contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: tied,
    bos_token_id: 1,
    eos_token_id: 2,
  };
  return { config, tensors };
}

/** Rows of each head from the order of pairs (2i, 2i + 1) to that of halves (i, i + headWidth / 2). */
function inHalves({ shape, data }: Float32NdArray, headWidth: number): Float32NdArray {
  const [rows, width] = shape as [number, number];
  const half = headWidth / 2;
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const within = row % headWidth;
    const from = row - within + 2 * (within % half) + Math.floor(within / half);
    turned.set(data.subarray(from * width, (from + 1) * width), row * width);
  }
  return float32(shape, turned);
}
