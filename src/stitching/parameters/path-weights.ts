/**
 * What full fine-tuning (SN-Net) trains of a stitch beside a new head: every weight on its path and its stitching layer, by
 * the path of the leaf in the frozen network: anchors/1/blocks/3/query/weight, layers/0/bias.
 */
import type { Architecture } from '../../models/architecture.js';
import { type Place, rowsAt } from '../../models/tensor-table.js';
import { crossingOf } from '../space/cost.js';
import { blocksOnPath, firstAnchor, lastAnchor, type Stitch } from '../space/stitch.js';

export function weightsOnPath(stitch: Stitch, anchors: readonly Architecture[]): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  const add = (anchor: number, place: Place) => {
    const rows = rowsAt(anchors[anchor]!.tensors, place);
    for (const { path, shape } of rows) shapes[`anchors/${anchor}/${path}`] = shape;
  };
  add(firstAnchor(stitch), { part: 'embedding' });
  for (const { anchor, block, isBehindLayer } of blocksOnPath(stitch)) {
    if (!isBehindLayer) add(anchor, { part: 'entry', block });
    add(anchor, { part: 'block', block });
  }
  const crossing = crossingOf(stitch, anchors);
  if (crossing) {
    const name = `layers/${stitch.stitchingLayer}`;
    shapes[`${name}/weight`] = [crossing.from, crossing.to];
    shapes[`${name}/bias`] = [crossing.to];
  }
  const last = lastAnchor(stitch);
  add(last, { part: 'norm' });
  add(last, { part: anchors[last]!.head?.tied ? 'embedding' : 'head' });
  return shapes;
}

/** The path of a linear layer's weight in the frozen network. */
export function layerWeightPath(anchor: number, block: number, layer: string): string {
  return `anchors/${anchor}/blocks/${block}/${layer}/weight`;
}
