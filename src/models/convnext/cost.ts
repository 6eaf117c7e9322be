/** FLOPs of the parts of a ConvNeXt, counted as models/cost.ts says. A convolution costs positions * weights of its filter. */
import { imageChannels } from '../architecture.js';
import { layerNormFlops, linearFlops } from '../cost.js';
import { type ConvNeXtVariant, convNeXtMlpRatio, depthwiseSide, downsamplingSide, stemPatchSide } from './variants.js';

/** Pixels of the feature map of a stage: (imageSize / 4 / 2 ** stage) squared. */
export function pixelsOf({ imageSize }: Pick<ConvNeXtVariant, 'imageSize'>, stage: number): number {
  return (imageSize / (stemPatchSide * downsamplingSide ** stage)) ** 2;
}

/** The stem: patches as vectors, then a norm. */
export function stemFlops(variant: ConvNeXtVariant): number {
  const [width] = variant.dims;
  const pixels = pixelsOf(variant, 0);
  return linearFlops(pixels, stemPatchSide ** 2 * imageChannels, width) + layerNormFlops(pixels, width);
}

/** What leads into a stage but the first: a norm over the pixels and channels before, then patches as vectors. */
export function downsamplingFlops(variant: ConvNeXtVariant, stage: number): number {
  const [before, width] = [variant.dims[stage - 1]!, variant.dims[stage]!];
  const reduce = linearFlops(pixelsOf(variant, stage), downsamplingSide ** 2 * before, width);
  return layerNormFlops(pixelsOf(variant, stage - 1), before) + reduce;
}

/** P (8 D^2 + 54 D) for P pixels of D channels. */
export function convNeXtBlockFlops(variant: ConvNeXtVariant, stage: number): number {
  const width = variant.dims[stage]!;
  const pixels = pixelsOf(variant, stage);
  const mlp = 2 * linearFlops(pixels, width, convNeXtMlpRatio * width);
  return pixels * depthwiseSide ** 2 * width + layerNormFlops(pixels, width) + mlp;
}

/** The norm of the head: one vector, after the mean over pixels. */
export function headNormFlops({ dims }: Pick<ConvNeXtVariant, 'dims'>): number {
  return layerNormFlops(1, dims[3]);
}
