/**
 * What layers cost: FLOPs of one image and parameters, counted from shapes alone.
 *
 * FLOPs as fvcore counts them, the convention of SN-Net's and the paper's tables: 1 for a multiply-accumulate of a
 * convolution, a linear layer or a matrix product, 5 for an element of an affine LayerNorm, 0 for everything else (bias,
 * GELU, softmax, residual).
 */
import { tokensOf, type ViTVariant } from './vit/variants.js';

/** What the cost of a vision transformer depends on. Channels of the image default to 3. */
export type ViTShape = Pick<ViTVariant, 'width' | 'depth' | 'mlpRatio' | 'patchSize' | 'imageSize'> & {
  readonly channels?: number;
};

/** A linear layer from `from` to `to` features, on each token. */
export function linearFlops(tokens: number, from: number, to: number): number {
  return tokens * from * to;
}

export function linearParams(from: number, to: number, bias = true): number {
  return from * to + (bias ? to : 0);
}

/** The low-rank update x A B beside a linear layer, not merged into its weight. */
export function lowRankFlops(tokens: number, from: number, to: number, rank: number): number {
  return linearFlops(tokens, from, rank) + linearFlops(tokens, rank, to);
}

/** A [from, rank] and B [rank, to]. */
export function lowRankParams(from: number, to: number, rank: number): number {
  return (from + to) * rank;
}

export function layerNormFlops(tokens: number, width: number): number {
  return 5 * tokens * width;
}

export function layerNormParams(width: number): number {
  return 2 * width;
}

/** The two matrix products of self-attention over all heads: q by k transposed, and attention by v. */
export function attentionFlops(tokens: number, width: number): number {
  return 2 * tokens ** 2 * width;
}

/** Patches as vectors, then a linear layer; the class token is not counted. */
export function vitEmbeddingFlops(shape: ViTShape): number {
  return linearFlops(tokensOf(shape) - 1, patchLength(shape), shape.width);
}

/** Patch embedding, class token and position embedding. */
export function vitEmbeddingParams(shape: ViTShape): number {
  return linearParams(patchLength(shape), shape.width) + (1 + tokensOf(shape)) * shape.width;
}

/** 12 N D^2 + 2 N^2 D + 10 N D at MLP ratio 4, for N tokens of width D; `rank` adds 6 N D rank on q, k and v, default 0. */
export function vitBlockFlops(shape: ViTShape, rank = 0): number {
  const { width, mlpRatio } = shape;
  const tokens = tokensOf(shape);
  return (
    4 * linearFlops(tokens, width, width) +
    2 * linearFlops(tokens, width, mlpRatio * width) +
    attentionFlops(tokens, width) +
    2 * layerNormFlops(tokens, width) +
    3 * lowRankFlops(tokens, width, width, rank)
  );
}

/** 12 D^2 + 13 D at MLP ratio 4. */
export function vitBlockParams({ width, mlpRatio }: ViTShape): number {
  return (
    4 * linearParams(width, width) +
    linearParams(width, mlpRatio * width) +
    linearParams(mlpRatio * width, width) +
    2 * layerNormParams(width)
  );
}

function patchLength({ patchSize, channels = 3 }: ViTShape): number {
  return patchSize ** 2 * channels;
}
