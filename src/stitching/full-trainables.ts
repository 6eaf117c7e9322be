/**
 * What full fine-tuning trains of a stitch (SN-Net): every weight on its path and its stitching layer. Names are those of
 * the frozen network's leaves, below `weights/`: weights/anchors/1/blocks/3/query/weight, weights/layers/0/bias.
 */
import type { ViTShape } from '../models/cost.js';
import { tokensOf } from '../models/variants.js';
import { firstAnchor, lastAnchor, type Stitch } from './stitch.js';
import type { StitchSpace } from './stitch-space.js';

type Shapes = Record<string, readonly number[]>;

export function fullTrainablesOf(
  stitch: Stitch,
  stitchingLayers: StitchSpace['stitchingLayers'],
  anchors: readonly ViTShape[],
): Shapes {
  const [first, last] = [firstAnchor(stitch), lastAnchor(stitch)];
  const shapes: Shapes = embeddingShapes(`weights/anchors/${first}/embedding`, anchors[first]!);
  for (const { anchor, blocks } of stitch.path) {
    for (let block = blocks[0]; block < blocks[1]; block++) {
      Object.assign(shapes, blockShapes(`weights/anchors/${anchor}/blocks/${block}`, anchors[anchor]!));
    }
  }
  if (stitch.stitchingLayer !== undefined) {
    const { fromAnchor, toAnchor } = stitchingLayers[stitch.stitchingLayer]!;
    const name = `weights/layers/${stitch.stitchingLayer}`;
    Object.assign(shapes, linearShapes(name, anchors[fromAnchor]!.width, anchors[toAnchor]!.width));
  }
  return { ...shapes, ...normShapes(`weights/anchors/${last}/norm`, anchors[last]!.width) };
}

function embeddingShapes(name: string, anchor: ViTShape): Shapes {
  const { width, patchSize, channels = 3 } = anchor;
  return {
    ...linearShapes(`${name}/patch`, patchSize * patchSize * channels, width),
    [`${name}/classToken`]: [1, 1, width],
    [`${name}/position`]: [1, tokensOf(anchor), width],
  };
}

function blockShapes(name: string, { width, mlpRatio }: ViTShape): Shapes {
  return {
    ...normShapes(`${name}/norm1`, width),
    ...linearShapes(`${name}/query`, width, width),
    ...linearShapes(`${name}/key`, width, width),
    ...linearShapes(`${name}/value`, width, width),
    ...linearShapes(`${name}/projection`, width, width),
    ...normShapes(`${name}/norm2`, width),
    ...linearShapes(`${name}/expand`, width, mlpRatio * width),
    ...linearShapes(`${name}/contract`, mlpRatio * width, width),
  };
}

function linearShapes(name: string, from: number, to: number): Shapes {
  return { [`${name}/weight`]: [from, to], [`${name}/bias`]: [to] };
}

function normShapes(name: string, width: number): Shapes {
  return { [`${name}/scale`]: [width], [`${name}/offset`]: [width] };
}
