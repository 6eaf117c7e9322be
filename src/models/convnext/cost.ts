/** What the parts of a ConvNeXt cost, counted as cost.ts says. A convolution costs positions * weights of its filter. */
import type { Cost } from '../architecture.js';
import { layerNormFlops, layerNormParams, linearFlops, linearParams } from '../cost.js';
import { type ConvNeXtVariant, convNeXtMlpRatio, depthwiseSide, downsamplingSide, stemPatchSide } from './variants.js';

/** What the costs depend on. */
export type ConvNeXtShape = Pick<ConvNeXtVariant, 'depths' | 'dims' | 'imageSize'>;

/** Pixels of the feature map of a stage: (imageSize / 4 / 2 ** stage) squared. */
export function pixelsOf({ imageSize }: Pick<ConvNeXtShape, 'imageSize'>, stage: number): number {
  return (imageSize / (stemPatchSide * downsamplingSide ** stage)) ** 2;
}

/** The stem: patches as vectors, then a norm. */
export function convNeXtStemCost(shape: ConvNeXtShape): Cost {
  const [width] = shape.dims;
  const pixels = pixelsOf(shape, 0);
  const patch = stemPatchSide ** 2 * 3;
  return {
    flops: linearFlops(pixels, patch, width) + layerNormFlops(pixels, width),
    params: linearParams(patch, width) + layerNormParams(width),
  };
}

/** What leads into a stage but the first: a norm over the pixels and channels before, then patches as vectors. */
export function downsamplingCost(shape: ConvNeXtShape, stage: number): Cost {
  const [before, width] = [shape.dims[stage - 1]!, shape.dims[stage]!];
  const patch = downsamplingSide ** 2 * before;
  return {
    flops: layerNormFlops(pixelsOf(shape, stage - 1), before) + linearFlops(pixelsOf(shape, stage), patch, width),
    params: layerNormParams(before) + linearParams(patch, width),
  };
}

/** P (8 D^2 + 54 D) FLOPs and 8 D^2 + 58 D parameters for P pixels of D channels. */
export function convNeXtBlockCost(shape: ConvNeXtShape, stage: number): Cost {
  const width = shape.dims[stage]!;
  const pixels = pixelsOf(shape, stage);
  const filter = depthwiseSide ** 2;
  const hidden = convNeXtMlpRatio * width;
  const layerScale = width;
  return {
    flops: pixels * filter * width + layerNormFlops(pixels, width) + 2 * linearFlops(pixels, width, hidden),
    params:
      (filter + 1) * width +
      layerNormParams(width) +
      linearParams(width, hidden) +
      linearParams(hidden, width) +
      layerScale,
  };
}

/** The norm of the head: one vector, after the mean over pixels. */
export function convNeXtNormCost({ dims }: Pick<ConvNeXtShape, 'dims'>): Cost {
  return { flops: layerNormFlops(1, dims[3]), params: layerNormParams(dims[3]) };
}
