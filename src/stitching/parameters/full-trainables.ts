/**
 * What full fine-tuning trains of a stitch (SN-Net): every weight on its path and its stitching layer. Names are those of
 * the frozen network's leaves, below `weights/`: weights/anchors/1/blocks/3/query/weight, weights/layers/0/bias.
 */
import type { Architecture } from '../../models/architecture.js';
import type { Place } from '../../models/tensor-table.js';
import { type Shapes, weightShapesOf } from '../../models/weight-shapes.js';
import { crossingOf } from '../space/cost.js';
import { blocksOnPath, firstAnchor, lastAnchor, type Stitch } from '../space/stitch.js';

export function fullTrainablesOf(stitch: Stitch, anchors: readonly Architecture[]): Shapes {
  const shapes: Record<string, readonly number[]> = {};
  const add = (anchor: number, place: Place) => {
    const named = weightShapesOf(anchors[anchor]!, place);
    for (const [name, shape] of Object.entries(named)) shapes[`weights/anchors/${anchor}/${name}`] = shape;
  };
  add(firstAnchor(stitch), { part: 'embedding' });
  for (const { anchor, block, isBehindLayer } of blocksOnPath(stitch)) {
    if (!isBehindLayer) add(anchor, { part: 'entry', block });
    add(anchor, { part: 'block', block });
  }
  const crossing = crossingOf(stitch, anchors);
  if (crossing) {
    const name = `weights/layers/${stitch.stitchingLayer}`;
    shapes[`${name}/weight`] = [crossing.from, crossing.to];
    shapes[`${name}/bias`] = [crossing.to];
  }
  add(lastAnchor(stitch), { part: 'norm' });
  return shapes;
}
