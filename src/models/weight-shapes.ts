/** The shapes of all weights of a network by the path of the leaf in its tree: `blocks/3/query/weight`. */
import type { Architecture } from './architecture.js';
import {
  type ConvNeXtVariant,
  convNeXtMlpRatio,
  depthwiseSide,
  downsamplingSide,
  stemPatchSide,
} from './convnext/variants.js';
import { tokensOf, type ViTVariant } from './vit/variants.js';

export type Shapes = Readonly<Record<string, readonly number[]>>;

export interface WeightShapes {
  readonly embedding: Shapes;
  readonly blocks: readonly Shapes[];
  /** What leads into the stage that begins with a block, by block. */
  readonly entries: ReadonlyMap<number, Shapes>;
  readonly norm: Shapes;
}

export function weightShapesOf(architecture: Architecture): WeightShapes {
  return architecture.family === 'vit' ? viTShapes(architecture.variant) : convNeXtShapes(architecture.variant);
}

function viTShapes(variant: ViTVariant): WeightShapes {
  const { width, depth, mlpRatio, patchSize } = variant;
  return {
    embedding: {
      ...linear('embedding/patch', patchSize * patchSize * 3, width),
      'embedding/classToken': [1, 1, width],
      'embedding/position': [1, tokensOf(variant), width],
    },
    blocks: Array.from({ length: depth }, (_, index) => {
      const name = `blocks/${index}`;
      return {
        ...norm(`${name}/norm1`, width),
        ...linear(`${name}/query`, width, width),
        ...linear(`${name}/key`, width, width),
        ...linear(`${name}/value`, width, width),
        ...linear(`${name}/projection`, width, width),
        ...norm(`${name}/norm2`, width),
        ...linear(`${name}/expand`, width, mlpRatio * width),
        ...linear(`${name}/contract`, mlpRatio * width, width),
      };
    }),
    entries: new Map(),
    norm: norm('norm', width),
  };
}

function convNeXtShapes({ depths, dims }: ConvNeXtVariant): WeightShapes {
  const widths = depths.flatMap((depth, stage) => Array.from({ length: depth }, () => dims[stage]!));
  const entries = new Map<number, Shapes>();
  let first = depths[0];
  for (const [index, width] of dims.slice(1).entries()) {
    const before = dims[index]!;
    const name = `downsamplings/${index}`;
    entries.set(first, {
      ...norm(`${name}/norm`, before),
      ...linear(`${name}/reduce`, downsamplingSide ** 2 * before, width),
    });
    first += depths[index + 1]!;
  }
  return {
    embedding: { ...linear('embedding/patch', stemPatchSide ** 2 * 3, dims[0]), ...norm('embedding/norm', dims[0]) },
    blocks: widths.map((width, index) => {
      const name = `blocks/${index}`;
      return {
        [`${name}/depthwise/filter`]: [depthwiseSide, depthwiseSide, width, 1],
        [`${name}/depthwise/bias`]: [width],
        ...norm(`${name}/norm`, width),
        ...linear(`${name}/expand`, width, convNeXtMlpRatio * width),
        ...linear(`${name}/contract`, convNeXtMlpRatio * width, width),
        [`${name}/layerScale`]: [width],
      };
    }),
    entries,
    norm: norm('norm', dims[3]),
  };
}

function linear(name: string, from: number, to: number): Shapes {
  return { [`${name}/weight`]: [from, to], [`${name}/bias`]: [to] };
}

function norm(name: string, width: number): Shapes {
  return { [`${name}/scale`]: [width], [`${name}/offset`]: [width] };
}
