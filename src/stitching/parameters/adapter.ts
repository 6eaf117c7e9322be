/**
 * The low-rank updates of an anchor as a PEFT adapter, and back. Stitch-specific biases and the updates of stitching
 * layers have no place in one: they belong to stitches, not to the anchor.
 */
import type { Architecture } from '../../models/architecture.js';
import type { LowRank } from '../../models/low-rank.js';
import type { ModuleUpdate, PeftAdapter } from '../../models/peft/adapter.js';
import { entryOf, reshaped, stacked } from '../../models/pretrained/formats/layout.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import type { ByBlock, ByStack } from './trainables.js';

export type AnchorUpdates = ByBlock<ByStack<LowRank<Float32NdArray>>>;

/** @param updates of one anchor, `Trainables.updates[anchor]` */
export function adapterOf(updates: AnchorUpdates, architecture: Architecture): PeftAdapter {
  const modules = modulesOf(architecture);
  const adapter = new Map<string, ModuleUpdate>();
  for (const [block, stacks] of Object.entries(updates)) {
    for (const { name, layers, scale = 1 } of architecture.blocks[Number(block)]!.adapted) {
      const update = stacks[name];
      if (!update) continue;
      for (const [index, layer] of layers.entries()) {
        const own = { down: entryOf(update.down, index), up: entryOf(update.up, index), scale };
        adapter.set(modules(Number(block), layer), own);
      }
    }
  }
  return adapter;
}

/**
 * The updates of an adapter that has one for every adapted layer of a block; other blocks have none. Another factor than
 * the architecture's goes into B.
 * @throws Error for an adapter that has some of the layers of a stack only
 */
export function updatesOf(adapter: PeftAdapter, architecture: Architecture): AnchorUpdates {
  const modules = modulesOf(architecture);
  const updates: Record<number, ByStack<LowRank<Float32NdArray>>> = {};
  for (const [block, { adapted }] of architecture.blocks.entries()) {
    const stacks = adapted.flatMap(({ name, layers, scale = 1 }) => {
      const found = layers.flatMap((layer) => adapter.get(modules(block, layer)) ?? []);
      if (found.length === 0) return [];
      if (found.length < layers.length) throw new Error(`block ${block} has updates of some of ${layers.join(', ')}`);
      const down = stacked(found.map((update) => alone(update.down)));
      const up = stacked(found.map((update) => alone(scaled(update.up, update.scale / scale))));
      return [[name, { down, up }] as const];
    });
    if (stacks.length > 0) updates[block] = Object.fromEntries(stacks);
  }
  return updates;
}

/** Published names of layers by their place. */
function modulesOf({ tensors }: Architecture): (block: number, layer: string) => string {
  const published = new Map(tensors.map((row) => [row.path, row.published]));
  return (block, layer) => published.get(`blocks/${block}/${layer}/weight`)!.replace(/\.weight$/, '');
}

function alone(array: Float32NdArray): Float32NdArray {
  return reshaped(array, [1, ...array.shape]);
}

function scaled({ shape, data }: Float32NdArray, factor: number): Float32NdArray {
  return float32(
    shape,
    data.map((value) => value * factor),
  );
}
