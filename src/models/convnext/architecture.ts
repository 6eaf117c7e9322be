/** A ConvNeXt as data. */
import type { AdaptedLayers, Architecture, BlockShape } from '../architecture.js';
import { paramsAt } from '../tensor-table.js';
import { convNeXtBlockFlops, downsamplingFlops, headNormFlops, pixelsOf, stemFlops } from './cost.js';
import { convNeXtTensors } from './tensors.js';
import {
  blocksOf,
  type ConvNeXtVariant,
  convNeXtMlpRatio,
  convNeXtPreprocessing,
  downsamplingSide,
} from './variants.js';

export const familyName = 'convnext';

export interface ConvNeXtArchitecture extends Architecture {
  readonly family: typeof familyName;
  readonly variant: ConvNeXtVariant;
}

/** Throws an Error for a network of another family. */
export function asConvNeXt(architecture: Architecture): ConvNeXtArchitecture {
  if (!isConvNeXt(architecture)) throw new Error(`${architecture.name} is no ConvNeXt`);
  return architecture;
}

function isConvNeXt(architecture: Architecture): architecture is ConvNeXtArchitecture {
  return architecture.family === familyName;
}

export function convNeXtArchitecture(variant: ConvNeXtVariant): ConvNeXtArchitecture {
  const { name, imageSize, classes, dims } = variant;
  const tensors = convNeXtTensors(variant);
  const blocks = blocksOf(variant).map(({ stage, isFirst }, block): BlockShape => {
    const width = dims[stage]!;
    const shape = {
      stage,
      width,
      positions: pixelsOf(variant, stage),
      adapted: adaptedLayers(width),
      flops: convNeXtBlockFlops(variant, stage),
      params: paramsAt(tensors, { part: 'block', block }),
    };
    if (!isFirst || stage === 0) return shape;
    const params = paramsAt(tensors, { part: 'entry', block });
    return {
      ...shape,
      adapted: [reducing(dims[stage - 1]!, width), ...shape.adapted],
      entry: { flops: downsamplingFlops(variant, stage), params },
    };
  });
  return {
    family: familyName,
    variant,
    name,
    input: { kind: 'images', side: imageSize, preprocessing: convNeXtPreprocessing(variant) },
    classes,
    embedding: { flops: stemFlops(variant), params: paramsAt(tensors, { part: 'embedding' }) },
    blocks,
    norm: { flops: headNormFlops(variant), params: paramsAt(tensors, { part: 'norm' }) },
    tensors,
  };
}

/** The downsampling before a stage, part of its first block, which no stitch enters at (staged-space.ts). */
function reducing(before: number, width: number): AdaptedLayers {
  return { name: 'reduce', layers: ['reduce'], from: downsamplingSide ** 2 * before, to: width };
}

function adaptedLayers(width: number): AdaptedLayers[] {
  const hidden = convNeXtMlpRatio * width;
  return [
    { name: 'expand', layers: ['expand'], from: width, to: hidden },
    { name: 'contract', layers: ['contract'], from: hidden, to: width },
  ];
}
