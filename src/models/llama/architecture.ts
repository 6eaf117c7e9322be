/** A LLaMA network as data, for sequences of a given length. */
import type { Architecture, BlockShape } from '../architecture.js';
import { paramsAt } from '../tensor-table.js';
import type { LlamaConfig } from './config.js';
import { llamaBlockFlops, llamaHeadFlops } from './cost.js';
import { llamaTensors, type ProjectionName, projectionWidths } from './tensors.js';

export const familyName = 'llama';

export interface LlamaArchitecture extends Architecture {
  readonly family: typeof familyName;
  readonly variant: LlamaConfig;
}

/** Throws an Error for a network of another family. */
export function asLlama(architecture: Architecture): LlamaArchitecture {
  if (!isLlama(architecture)) throw new Error(`${architecture.name} is no LLaMA network`);
  return architecture;
}

function isLlama(architecture: Architecture): architecture is LlamaArchitecture {
  return architecture.family === familyName;
}

export interface LlamaUpdates {
  /** Layers with low-rank updates and stitch-specific biases; default query and value, as alpaca-lora. */
  readonly targets?: readonly ProjectionName[];
  /** Factor of the updates, alpha / rank; default 1. */
  readonly scale?: number;
}

/**
 * @param name for messages and tables
 * @param length tokens of the sequence that costs are counted of
 */
export function llamaArchitecture(
  name: string,
  config: LlamaConfig,
  length: number,
  { targets = ['query', 'value'], scale = 1 }: LlamaUpdates = {},
): LlamaArchitecture {
  const { width, depth, vocabulary, tied } = config;
  const tensors = llamaTensors(config);
  const widths = projectionWidths(config);
  const block: BlockShape = {
    stage: 0,
    width,
    positions: length,
    // One stack a layer: values are narrower than queries where key-value heads are shared.
    adapted: targets.map((layer) => ({ name: layer, layers: [layer], ...widths[layer], scale })),
    flops: llamaBlockFlops(config, length),
    params: paramsAt(tensors, { part: 'block', block: 0 }),
  };
  const embedding = { flops: 0, params: paramsAt(tensors, { part: 'embedding' }) };
  return {
    family: familyName,
    variant: config,
    name,
    input: { kind: 'tokens', length },
    classes: vocabulary,
    embedding,
    blocks: Array.from({ length: depth }, () => block),
    norm: { flops: 0, params: paramsAt(tensors, { part: 'norm' }) },
    head: { flops: llamaHeadFlops(config, length), params: vocabulary * width, tied },
    tensors,
  };
}
