/** What a stitch adapts the single layers of a segment with, taken out of the stacks of updates and the tensor of biases. */
import type { Architecture } from '../../models/architecture.js';
import type { LowRank } from '../../models/low-rank.js';
import { entryOf } from '../../models/pretrained/formats/layout.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import type { Stitch } from '../space/stitch.js';
import { biasPartsOf } from './shapes.js';
import { blockUpdateOf, type Trainables } from './trainables.js';

export interface SegmentLayer {
  readonly block: number;
  readonly layer: string;
  /** Left out: the layer has none. */
  readonly update?: LowRank<Float32NdArray>;
  /** Of the update. */
  readonly scale: number;
  /** [to]; left out: the stitch has none of its own. */
  readonly bias?: Float32NdArray;
}

/**
 * All layers that may be adapted, block by block.
 * @param segment of the path of the stitch
 * @param architecture of the anchor of the segment
 */
export function segmentLayers(
  stitch: Stitch,
  segment: number,
  trainables: Trainables<Float32NdArray>,
  architecture: Architecture,
): SegmentLayer[] {
  const { anchor, blocks } = stitch.path[segment]!;
  const biases = trainables.biases[stitch.id]?.[segment];
  return Array.from(biasPartsOf(architecture, blocks)).flatMap(([block, parts]) =>
    architecture.blocks[block]!.adapted.flatMap(({ name: stack, layers, scale = 1 }) => {
      const stacked = blockUpdateOf(trainables, stitch.id, { anchor, block, stack });
      return layers.map((layer, index): SegmentLayer => {
        const { offset, length } = parts.find((part) => part.layer === layer)!;
        return {
          block,
          layer,
          ...(stacked && { update: { down: entryOf(stacked.down, index), up: entryOf(stacked.up, index) } }),
          scale,
          ...(biases && { bias: float32([length], biases.data.slice(offset, offset + length)) }),
        };
      });
    }),
  );
}
