/** Adapters of LLaMA networks: which tensor of the network each update belongs to. */
import type { Float32NdArray, NdArray } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { fromPublished, toPublished } from '../layouts.js';
import { mergedWeight } from '../low-rank.js';
import type { PeftAdapter } from '../peft/adapter.js';
import type { TensorRow } from '../tensor-table.js';
import type { LlamaWeights } from './llama.js';
import { projectionModules, projections } from './tensors.js';

/** The module whose weight a row is, as PEFT names it. */
function moduleOf({ published }: Pick<TensorRow, 'published'>): string {
  return published.replace(/\.weight$/, '');
}

/**
 * @param location for messages
 * @throws RequestError for updates of layers that the network does not have, or has in another size
 */
export function requireFits(adapter: PeftAdapter, rows: readonly TensorRow[], location: string): void {
  const layers = new Map(rows.flatMap((row) => (row.layout === 'linear' ? [[moduleOf(row), row] as const] : [])));
  for (const [module, { down, up }] of adapter) {
    const wanted = layers.get(module)?.shape;
    const received = [down.shape[0]!, up.shape[1]!];
    if (wanted && wanted[0] === received[0] && wanted[1] === received[1]) continue;
    const needed = wanted ? `has one from ${wanted.join(' to ')}` : 'has none in its blocks';
    throw new RequestError(
      `${location} updates ${module} from ${received.join(' to ')} features; the network ${needed}`,
      'An adapter fits the network that it was trained for.',
    );
  }
}

/** @param tensor of the row, as published; @returns it with its update merged, where it has one */
export function withUpdate(tensor: Float32NdArray, row: TensorRow, adapter: PeftAdapter): Float32NdArray {
  const update = adapter.get(moduleOf(row));
  if (!update || row.layout !== 'linear') return tensor;
  return toPublished(row.layout, mergedWeight(fromPublished(row.layout, tensor), update, update.scale));
}

/** Layers with what the adapter adds to what they give; LLaMA has no biases of its own. */
export function withBiases(weights: LlamaWeights<NdArray>, adapter: PeftAdapter): LlamaWeights<NdArray> {
  const blocks = weights.blocks.map((block, index) => {
    const changed = projections.flatMap((name) => {
      const bias = adapter.get(`model.layers.${index}.${projectionModules[name]}`)?.bias;
      return bias ? [[name, { ...block[name], bias }] as const] : [];
    });
    return { ...block, ...Object.fromEntries(changed) };
  });
  return { ...weights, blocks };
}
