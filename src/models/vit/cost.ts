/** FLOPs of the parts of a vision transformer, counted as models/cost.ts says. */
import { imageChannels } from '../architecture.js';
import { attentionFlops, layerNormFlops, linearFlops } from '../cost.js';
import { tokensOf, type ViTVariant } from './variants.js';

/** Patches as vectors, then a linear layer; the class token is not counted. */
export function viTEmbeddingFlops(variant: ViTVariant): number {
  return linearFlops(tokensOf(variant) - 1, variant.patchSize ** 2 * imageChannels, variant.width);
}

/** 12 N D^2 + 2 N^2 D + 10 N D at MLP ratio 4, for N tokens of width D. */
export function viTBlockFlops(variant: ViTVariant): number {
  const { width, mlpRatio } = variant;
  const tokens = tokensOf(variant);
  return (
    4 * linearFlops(tokens, width, width) +
    2 * linearFlops(tokens, width, mlpRatio * width) +
    attentionFlops(tokens, width) +
    2 * layerNormFlops(tokens, width)
  );
}

/** Counted on all tokens, as timm computes it; only the class token is needed. */
export function viTNormFlops(variant: ViTVariant): number {
  return layerNormFlops(tokensOf(variant), variant.width);
}
