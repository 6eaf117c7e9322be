/** Dropout in front of the low-rank updates on the path of a stitch, in training. */
import type * as tf from '@tensorflow/tfjs';
import type { DropoutKeys } from '../../engine/ops/dropout.js';
import type { Architecture, BlockShape } from '../../models/architecture.js';
import type { BlockAdaptation } from '../../models/family.js';
import { blocksOnPath, type Stitch } from '../space/stitch.js';

/** Keys of the adapted layers of all blocks on the path, in its order. */
export interface PathDropout {
  readonly rate: number;
  readonly keys: DropoutKeys<tf.Tensor>;
}

/** How many layers on the path are adapted, and the most inputs that one of them has. */
export function adaptedLayersOf(
  stitch: Pick<Stitch, 'path'>,
  architectures: readonly Architecture[],
): { readonly layers: number; readonly columns: number } {
  const stacks = blocksOnPath(stitch).flatMap(({ anchor, block }) => architectures[anchor]!.blocks[block]!.adapted);
  return {
    layers: stacks.reduce((sum, { layers }) => sum + layers.length, 0),
    columns: Math.max(...stacks.map(({ from }) => from)),
  };
}

/**
 * Adds dropout to what adapts a block.
 * @param first index of its first adapted layer among those of the path
 */
export function withDropout(
  adaptation: BlockAdaptation,
  { adapted }: Pick<BlockShape, 'adapted'>,
  { rate, keys }: PathDropout,
  first: number,
): BlockAdaptation {
  const keysOf = (keys: tf.Tensor, layer: number) => keys.slice([layer, 0, 0], [1, 2, -1]).squeeze([0]);
  const entries = adapted
    .flatMap(({ layers }) => layers)
    .map((layer, index) => {
      const [rows, columns] = [keysOf(keys.rows, first + index), keysOf(keys.columns, first + index)];
      return [layer, { ...adaptation[layer], dropout: { rate, rows, columns } }] as const;
    });
  return { ...adaptation, ...Object.fromEntries(entries) };
}
