/**
 * Reads a LLaMA network from a folder in the layout of Hugging Face: `config.json` and `model.safetensors`, or its shards
 * with their index. Tensors are read one by one, so that one of them at most exists as float32 beside what is kept.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Float32NdArray, type NdArray, sizeOf } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { exists } from '../../shared/files.js';
import { fromPublished, publishedShape } from '../layouts.js';
import { type PeftAdapter, readAdapter } from '../peft/adapter.js';
import { assembleEach, type Needed, unusedNames } from '../pretrained/assemble.js';
import { openSafetensors } from '../pretrained/formats/safetensors.js';
import { openShards } from '../pretrained/formats/shards.js';
import type { Weights } from '../pretrained/formats/weights.js';
import { indexFile, singleFile } from '../pretrained/sources/weight-files.js';
import { refuseWhatChangesLogits } from '../pretrained/unused.js';
import { type QuantisedProjection, quantised } from '../quantise.js';
import type { TensorRow } from '../tensor-table.js';
import { treeOf } from '../weights.js';
import { requireFits, withBiases, withUpdate } from './adapter.js';
import { type LlamaConfig, readLlamaConfig } from './config.js';
import type { LlamaWeights } from './llama.js';
import { isDerived, llamaTensors } from './tensors.js';

export interface LoadedLlama {
  readonly config: LlamaConfig;
  readonly weights: LlamaWeights<NdArray>;
  /** The file, or the index of the shards. */
  readonly location: string;
  readonly params: number;
  /** Names in the file that the network has no place for. */
  readonly unused: readonly string[];
}

export const storages = ['float32', '8bit'] as const;
/** How linear layers are kept; in 8 bits the head is one of them, and the embedding and the norms stay float32. */
export type Storage = (typeof storages)[number];

export interface LoadOptions {
  /** Default float32. */
  readonly storage?: Storage;
  /** Folder of a PEFT adapter, which is merged into the weights before they are stored. Default none. */
  readonly adapter?: string | undefined;
  /** Called with the share of the parameters that is read. */
  readonly onTensor?: (share: number) => void;
}

/** @throws RequestError that says what the folder holds instead, and how to convert it; for tensors that change the logits */
export async function loadLlama(folder: string, options: LoadOptions = {}): Promise<LoadedLlama> {
  const names = await readdir(folder).catch(() => notAFolder(folder));
  const file = weightFile(folder, names);
  const config = await readLlamaConfig(folder);
  const weights = await (path.basename(file) === indexFile ? openShards(file) : openSafetensors(file));
  try {
    return await llamaFrom(weights, config, options);
  } finally {
    await weights.close();
  }
}

async function llamaFrom(
  weights: Weights,
  config: LlamaConfig,
  { storage = 'float32', adapter: folder, onTensor }: LoadOptions,
): Promise<LoadedLlama> {
  const rows = llamaTensors(config);
  const needed = rows.map((row): Needed & { row: TensorRow } => ({
    row,
    name: row.published,
    shape: publishedShape(row.layout, row.shape),
    source: { from: [row.published] },
  }));
  const sources = needed.map(({ source }) => source);
  const unused = unusedNames(weights, sources).filter((name) => !isDerived(name));
  refuseWhatChangesLogits(weights, unused, sources, 'kept', 'LLaMA');
  const adapter: PeftAdapter = folder === undefined ? new Map() : await readAdapter(folder);
  requireFits(adapter, rows, folder ?? '');
  const params = rows.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const leaves = new Map<TensorRow, Leaf>();
  let read = 0;
  for await (const [{ row }, published] of assembleEach(weights, needed, `the network of config.json`)) {
    const tensor = withUpdate(published, row, adapter);
    leaves.set(row, keptLeaf(row, tensor, storage));
    read += tensor.data.length;
    onTensor?.(read / params);
  }
  return {
    config,
    weights: withBiases(treeOfLeaves(rows, leaves, storage), adapter),
    location: weights.location,
    params,
    unused,
  };
}

/** A row's tensor, or in 8 bits what stands in place of its layer. */
export type Leaf = NdArray | QuantisedProjection<NdArray>;

/** Whether a row is the weight of a linear layer; the head is one. */
const isLinear = ({ layout, place }: TensorRow) => layout === 'linear' || place.part === 'head';

/** @param tensor of the row, as published */
export function keptLeaf(row: TensorRow, tensor: Float32NdArray, storage: Storage): Leaf {
  return storage === '8bit' && isLinear(row) ? quantised(tensor) : fromPublished(row.layout, tensor);
}

/** The network of all rows. */
export function treeOfLeaves(
  rows: readonly TensorRow[],
  leaves: ReadonlyMap<TensorRow, Leaf>,
  storage: Storage,
): LlamaWeights<NdArray> {
  return storage === '8bit' ? quantisedTree(rows, leaves) : wholeTree(rows, leaves);
}

function wholeTree(rows: readonly TensorRow[], leaves: ReadonlyMap<TensorRow, Leaf>): LlamaWeights<NdArray> {
  return treeOf(rows, (row) => leaves.get(row)!) as LlamaWeights<NdArray>;
}

/** The parts of a layer stand where the float32 layer has its weight; a tied head gets a copy of its own in 8 bits. */
function quantisedTree(rows: readonly TensorRow[], leaves: ReadonlyMap<TensorRow, Leaf>): LlamaWeights<NdArray> {
  const layers = new Map(
    rows.map((row) => [isLinear(row) ? { ...row, path: path.posix.dirname(row.path) } : row, leaves.get(row)!]),
  );
  const tree = treeOf([...layers.keys()], (row) => layers.get(row)!) as LlamaWeights<NdArray>;
  return tree.head ? tree : { ...tree, head: quantised(tree.embedding.tokens as Float32NdArray) };
}

function weightFile(folder: string, names: readonly string[]): string {
  const found = [singleFile, indexFile].find((name) => names.includes(name));
  if (found) return path.join(folder, found);
  for (const { name: pattern, what, convert } of otherFormats) {
    const name = names.find((each) => pattern.test(each));
    if (!name) continue;
    throw new RequestError(
      `${folder} holds its weights as ${what} (${name}), which is not read`,
      `Convert it once: ${convert(folder, name)}`,
    );
  }
  throw new RequestError(`${folder} has no weights`, `Expected ${singleFile}, or ${indexFile} with its shards.`);
}

/** A file in a format that is known is refused as a folder with it is. */
async function notAFolder(file: string): Promise<never> {
  const isFile = await exists(file);
  if (isFile) weightFile(path.dirname(file), [path.basename(file)]);
  throw new RequestError(
    `${file} ${isFile ? 'is a file' : 'does not exist'}; expected the folder of a LLaMA network`,
    `A folder holds config.json, ${singleFile} and a tokenizer.`,
  );
}

interface OtherFormat {
  readonly name: RegExp;
  readonly what: string;
  convert(folder: string, name: string): string;
}

const saved = (folder: string, options: string) =>
  `python -c "from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; ` +
  `M.from_pretrained('${folder}', torch_dtype='auto'${options}).save_pretrained('${folder}-hf'); ` +
  `T.from_pretrained('${folder}'${options}).save_pretrained('${folder}-hf')"`;

const pickle = 'a Python pickle, which can run programs';

const otherFormats: readonly OtherFormat[] = [
  { name: /\.gguf$/, what: 'GGUF', convert: (folder, name) => saved(folder, `, gguf_file='${name}'`) },
  {
    name: /^consolidated\.\d+\.pth$/,
    what: "Meta's pickles",
    convert: (folder) =>
      `python -m transformers.models.llama.convert_llama_weights_to_hf --input_dir ${folder} --model_size 7B --output_dir ${folder}-hf`,
  },
  { name: /^pytorch_model.*\.bin$|\.(pth|pt|ckpt|pkl)$/, what: pickle, convert: (folder) => saved(folder, '') },
  {
    name: /\.bin$/,
    what: 'a model of llama2.c',
    convert: (folder, name) =>
      `node dist/data-scripts/llama2c-to-hf.js ${path.join(folder, name)} ${path.join(folder, 'tokenizer.bin')} ${folder}-hf`,
  },
];
