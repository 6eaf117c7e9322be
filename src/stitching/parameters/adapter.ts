/** What a stitch adapts the blocks of one anchor with, as a PEFT adapter of that anchor. */
import type { Architecture } from '../../models/architecture.js';
import type { ModuleUpdate, PeftAdapter } from '../../models/peft/adapter.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import type { Stitch } from '../space/stitch.js';
import { segmentLayers } from './segment-layers.js';
import type { Trainables } from './trainables.js';

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
  const published = new Map(architecture.tensors.map((row) => [row.path, row.published]));
  const adapter = new Map<string, ModuleUpdate>();
  for (const { block, layer, update, scale, bias } of segmentLayers(stitch, segment, trainables, architecture)) {
    if (!update) continue;
    const module = published.get(`blocks/${block}/${layer}/weight`)!.replace(/\.weight$/, '');
    adapter.set(module, { ...update, scale, ...(bias && { bias }) });
  }
  return adapter;
}
