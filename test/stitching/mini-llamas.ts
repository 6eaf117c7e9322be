/** Two LLaMAs as small as a test wants them, of unequal depth, with one vocabulary. */
import type { Architecture } from '../../src/models/architecture.js';
import { llamaArchitecture } from '../../src/models/llama/architecture.js';
import { type LlamaConfig, llamaConfigFrom } from '../../src/models/llama/config.js';
import { buildStitchSpace } from '../../src/stitching/space/stitch-space.js';

const sizes = [
  { hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 2, intermediate_size: 12 },
  { hidden_size: 12, num_hidden_layers: 4, num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 20 },
];

export const vocabulary = 11;
/** alpha / rank of alpaca-lora: 16 / 8. */
export const scale = 2;
/** @param tied whether the head is the embedding */
export const configs = (tied: boolean): LlamaConfig[] =>
  sizes.map((size) => llamaConfigFrom({ ...size, vocab_size: vocabulary, tie_word_embeddings: tied }, 'mini'));
export const architecturesOf = (tied: boolean): Architecture[] =>
  configs(tied).map((config, index) => llamaArchitecture(`mini ${index}`, config, 5, { scale }));
export const architectures: readonly Architecture[] = architecturesOf(false);
export const space = buildStitchSpace(
  sizes.map(({ hidden_size, num_hidden_layers }, index) => ({
    name: `mini ${index}`,
    width: hidden_size,
    depth: num_hidden_layers,
  })),
  { pairing: 'unpaired' },
);
