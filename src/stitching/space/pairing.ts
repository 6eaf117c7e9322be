/**
 * Which block of the front anchor may be followed by which block of the end anchor, and which of these pairs share a
 * stitching layer. Follows paired_stitching and unpaired_stitching of ziplab/SN-Net (stitching_deit/utils.py).
 */

/** Run the front anchor up to and with block `front`, enter the end anchor at block `end` (its input is stitched). */
export type BlockPair = readonly [front: number, end: number];

/**
 * Anchors of equal depth: a window of `kernel` blocks slides by `stride`; all pairs inside a window share its layer, and
 * a pair in several windows belongs to the first. Windows at the end may be cut short; one without a new pair gives no
 * layer. Depth 12, kernel 2, stride 1: 34 pairs in 11 windows.
 *
 * @returns the pairs of each stitching layer
 */
export function pairedBlocks(depth: number, kernel: number, stride: number): BlockPair[][] {
  const seen = new Set<number>();
  const windows: BlockPair[][] = [];
  for (let start = 0; start < depth; start += stride) {
    const blocks = range(start, Math.min(start + kernel, depth));
    const pairs = blocks.flatMap((front) => blocks.map((end): BlockPair => [front, end]));
    const fresh = pairs.filter(([front, end]) => !seen.has(front * depth + end));
    for (const [front, end] of fresh) seen.add(front * depth + end);
    if (fresh.length > 0) windows.push(fresh);
  }
  return windows;
}

/**
 * A front anchor that is not deeper than the end anchor: block i of the end anchor follows its nearest front block
 * m(i) = floor(i * frontDepth / endDepth), for i = 1 .. endDepth - 1. Pairs of one front block share a layer: that is what
 * SN-Net means; its code zips the layer numbers with a list that starts one later, so (1, 3) shares layer 0 there.
 *
 * @returns the pairs of each stitching layer; layer numbers are the front blocks when each of them has a pair
 */
export function unpairedBlocks(frontDepth: number, endDepth: number): BlockPair[][] {
  const byFront = range(0, frontDepth).map((): BlockPair[] => []);
  for (const end of range(1, endDepth)) {
    const front = Math.floor((end * frontDepth) / endDepth);
    byFront[front]!.push([front, end]);
  }
  return byFront.filter((pairs) => pairs.length > 0);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
