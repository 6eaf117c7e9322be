/** A folder in the layout of Hugging Face with a tiny LLaMA network of random weights and the tokenizer of the fixtures. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type LlamaConfig, llamaConfigFrom } from '../../../src/models/llama/config.js';
import type { LlamaWeights } from '../../../src/models/llama/llama.js';
import { llamaTensors } from '../../../src/models/llama/tensors.js';
import { writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { publishedFrom, treeOf } from '../../../src/models/weights.js';
import { type Float32NdArray, float32, type StateDict, sizeOf } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { fixture } from '../../fixture.js';

export const tinyJson = {
  model_type: 'llama',
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 420,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
};

export interface TinyLlama {
  readonly config: LlamaConfig;
  readonly weights: LlamaWeights<Float32NdArray>;
  /** Hugging Face's names. */
  readonly stateDict: StateDict;
}

export function tinyLlama(seed = 0): TinyLlama {
  const config = llamaConfigFrom(tinyJson, 'tiny');
  const random = Random.of(seed, 'tiny llama');
  const rows = llamaTensors(config);
  const weights = treeOf(rows, ({ shape }) =>
    float32(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => 0.4 * random.normal()),
    ),
  ) as LlamaWeights<Float32NdArray>;
  return { config, weights, stateDict: publishedFrom(weights, rows) };
}

/** With `shards` in that many files and an index. */
export async function writeTinyLlama(
  folder: string,
  { stateDict }: TinyLlama,
  { shards = 1, json = {} }: { readonly shards?: number; readonly json?: object } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...tinyJson, ...json }));
  await copyFile(fixture('text/bpe.model'), path.join(folder, 'tokenizer.model'));
  if (shards === 1) return writeSafetensors(path.join(folder, 'model.safetensors'), stateDict);
  const weightMap: Record<string, string> = {};
  const parts = Array.from({ length: shards }, (): StateDict => ({}));
  const nameOf = (part: number) => `model-0000${part + 1}-of-0000${shards}.safetensors`;
  for (const [index, [name, tensor]] of Object.entries(stateDict).entries()) {
    parts[index % shards]![name] = tensor;
    weightMap[name] = nameOf(index % shards);
  }
  for (const [index, part] of parts.entries()) await writeSafetensors(path.join(folder, nameOf(index)), part);
  const index = JSON.stringify({ metadata: {}, weight_map: weightMap });
  await writeFile(path.join(folder, 'model.safetensors.index.json'), index);
}
