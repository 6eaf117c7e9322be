/** What a stitch adapts the blocks of one anchor with, as a PEFT adapter of that anchor. */
import type { Architecture } from '../../models/architecture.js';
import type { ModuleUpdate, PeftAdapter } from '../../models/peft/adapter.js';
import { entryOf } from '../../models/pretrained/formats/layout.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import type { Stitch } from '../space/stitch.js';
import { biasPartsOf } from './shapes.js';
import { blockUpdateOf, type Trainables } from './trainables.js';

/**
 * @param segment of the path of the stitch
 * @param architecture of the anchor of the segment
 * @returns updates with the biases of the stitch, where it has some; empty where nothing of low rank was trained
 */
export function segmentAdapter(
  stitch: Stitch,
  segment: number,
  trainables: Trainables<Float32NdArray>,
  architecture: Architecture,
): PeftAdapter {
  const { anchor, blocks: range } = stitch.path[segment]!;
  const biases = trainables.biases[stitch.id]?.[segment];
  const published = new Map(architecture.tensors.map((row) => [row.path, row.published]));
  const adapter = new Map<string, ModuleUpdate>();
  for (const [block, places] of biasPartsOf(architecture, range)) {
    for (const { name: stack, layers, scale = 1 } of architecture.blocks[block]!.adapted) {
      const update = blockUpdateOf(trainables, stitch.id, { anchor, block, stack });
      if (!update) continue;
      for (const [index, layer] of layers.entries()) {
        const { offset, length } = places.find((place) => place.layer === layer)!;
        const module = published.get(`blocks/${block}/${layer}/weight`)!.replace(/\.weight$/, '');
        adapter.set(module, {
          down: entryOf(update.down, index),
          up: entryOf(update.up, index),
          scale,
          ...(biases && { bias: float32([length], biases.data.slice(offset, offset + length)) }),
        });
      }
    }
  }
  return adapter;
}
