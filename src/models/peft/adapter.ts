/**
 * Low-rank updates as the adapters of Hugging Face's PEFT: `adapter_config.json` and `adapter_model.safetensors`
 * (huggingface/peft, tuners/lora/{config,layer}.py, utils/save_and_load.py). Written as PEFT writes them; what would change
 * the mathematics and is not built is refused by name.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Float32NdArray, float32, type StateDict } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { writeAtomic } from '../../shared/files.js';
import type { LowRank } from '../low-rank.js';
import { permuted } from '../pretrained/formats/layout.js';
import { readSafetensors, writeSafetensors } from '../pretrained/formats/safetensors.js';
import { type AdapterConfig, configFile, readAdapterConfig, scaleOf, writtenConfig } from './adapter-config.js';

/** The update of one linear layer. */
export interface ModuleUpdate extends LowRank<Float32NdArray> {
  /** Factor of the update: alpha / rank. */
  readonly scale: number;
  /** Added to what the layer gives [to]; left out: nothing. PEFT has it, divided by the factor, as the bias of B. */
  readonly bias?: Float32NdArray;
}

/** Updates by the path of their layer in the network, as its publisher names it: `model.layers.0.self_attn.q_proj`. */
export type PeftAdapter = ReadonlyMap<string, ModuleUpdate>;

const weightsFile = 'adapter_model.safetensors';
const prefix = 'base_model.model.';
const nameParts = /^base_model\.model\.(.+)\.lora_(A\.weight|B\.weight|B\.bias)$/;
type TensorName = 'A.weight' | 'B.weight' | 'B.bias';

/** @throws RequestError for a folder without an adapter, or with one of another kind than plain low-rank updates */
export async function readAdapter(folder: string): Promise<PeftAdapter> {
  await requireFiles(folder);
  const config = await readAdapterConfig(folder);
  const file = path.join(folder, weightsFile);
  const { tensors } = await readSafetensors(file);
  const found = new Map<string, Partial<Record<TensorName, Float32NdArray>>>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const [, module, part] = nameParts.exec(name) ?? [];
    if (module === undefined || (part === 'B.bias' && !config.lora_bias)) {
      throw new RequestError(
        `${file} has a tensor ${name}, which is no low-rank update of a linear layer`,
        'Supported are LoRA adapters of linear layers, with biases of lora_bias alone, and without modules_to_save.',
      );
    }
    if (!tensor.data.every(Number.isFinite)) {
      throw new RequestError(`${file}: ${name} holds numbers that are not finite`, 'Train the adapter again.');
    }
    found.set(module, { ...found.get(module), [part!]: tensor });
  }
  if (found.size === 0) throw new RequestError(`${file} has no low-rank updates`);
  return new Map([...found].map(([module, parts]) => [module, updateOf(module, parts, config, file)]));
}

function updateOf(
  module: string,
  { 'A.weight': A, 'B.weight': B, 'B.bias': bias }: Partial<Record<TensorName, Float32NdArray>>,
  config: AdapterConfig,
  file: string,
): ModuleUpdate {
  const isPair = A && B && A.shape.length === 2 && B.shape.length === 2 && A.shape[0] === B.shape[1];
  if (!isPair || (bias && `${bias.shape}` !== `${B.shape[0]}`)) {
    const shapes = [A, B, ...(bias ? [bias] : [])].map((part) => (part ? `[${part.shape.join(', ')}]` : 'missing'));
    throw new RequestError(
      `${file}: the update of ${module} is no pair of matrices of one rank: ${bias ? 'A, B and its bias' : 'A and B'} are ${shapes.join(' and ')}`,
      'The file is damaged: write it again (save_pretrained of PEFT).',
    );
  }
  const scale = scaleOf(config, module, A.shape[0]!);
  const update = { down: permuted(A, [1, 0]), up: permuted(B, [1, 0]), scale };
  return bias ? { ...update, bias: times(bias, scale) } : update;
}

/**
 * @param base name or folder of the network that the updates belong to, for the configuration
 * @throws Error where there are none, of several ranks or factors, or biases of some: nothing here trains such
 */
export async function writeAdapter(folder: string, adapter: PeftAdapter, base: string): Promise<void> {
  const [first, ...others] = adapter.values();
  if (!first) throw new Error('an adapter without updates');
  const rank = first.up.shape[0]!;
  const hasBias = first.bias !== undefined;
  if (others.some(({ up, scale, bias }) => up.shape[0] !== rank || scale !== first.scale || !bias === hasBias)) {
    throw new Error('updates of several ranks or factors, or biases of some');
  }
  const modules = [...adapter.keys()];
  const targets = [...new Set(modules.map((module) => module.split('.').at(-1)!))].sort();
  const blocks = [...new Set(modules.map((module) => Number(/\.(\d+)\./.exec(module)?.[1])))].sort((a, b) => a - b);
  const config = writtenConfig({ base, rank, alpha: first.scale * rank, targets, blocks, hasBias });
  const tensors: StateDict = {};
  for (const [module, { down, up, bias, scale }] of adapter) {
    tensors[`${prefix}${module}.lora_A.weight`] = permuted(down, [1, 0]);
    tensors[`${prefix}${module}.lora_B.weight`] = permuted(up, [1, 0]);
    if (bias) tensors[`${prefix}${module}.lora_B.bias`] = times(bias, 1 / scale);
  }
  await writeSafetensors(path.join(folder, weightsFile), tensors);
  await writeAtomic(path.join(folder, configFile), config);
}

function times({ shape, data }: Float32NdArray, factor: number): Float32NdArray {
  return float32(
    shape,
    data.map((value) => value * factor),
  );
}

async function requireFiles(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  if (names.includes(configFile) && names.includes(weightsFile)) return;
  const isPickle = names.includes('adapter_model.bin');
  throw new RequestError(
    isPickle
      ? `${folder} holds its adapter as a Python pickle (adapter_model.bin), which can run programs and is not read`
      : `${folder} holds no adapter: expected ${configFile} and ${weightsFile}`,
    isPickle
      ? 'Write it again with a current version of PEFT: save_pretrained writes safetensors.'
      : 'Give the folder that save_pretrained of PEFT has written.',
  );
}
