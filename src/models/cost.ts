/**
 * What layers cost: FLOPs of one image and parameters, counted from shapes alone.
 *
 * FLOPs as fvcore counts them, the convention of SN-Net's and the paper's tables: 1 for a multiply-accumulate of a
 * convolution, a linear layer or a matrix product, 5 for an element of an affine LayerNorm, 0 for everything else (bias,
 * GELU, softmax, residual).
 */

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

/** The two matrix products of self-attention over all heads: q by k transposed, and attention by v. */
export function attentionFlops(tokens: number, width: number): number {
  return 2 * tokens ** 2 * width;
}
