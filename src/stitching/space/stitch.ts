/**
 * A stitch: one network that runs the first blocks of an anchor, crosses a stitching layer and finishes with the last
 * blocks of a larger anchor. An anchor alone is a stitch with one segment.
 *
 * SN-Net (ziplab/SN-Net, stitching_deit/snnet.py) writes a stitch as the pair (j, k): front blocks 0..j and end blocks
 * k..depth-1, all inclusive. Here that is the path [0, j + 1), [k, depth).
 */

/** The blocks `from` (included) to `to` (excluded) of an anchor. */
export interface PathSegment {
  /** Index in the list of anchors, small to large. */
  readonly anchor: number;
  readonly blocks: readonly [from: number, to: number];
}

export interface Stitch {
  /** Index in the stitch space. */
  readonly id: number;
  readonly path: readonly PathSegment[];
  /** Index in the stitching layers of the space; an anchor alone has none. */
  readonly stitchingLayer?: number;
}

/** The anchor whose embedding reads the image. */
export function firstAnchor(stitch: Stitch): number {
  return stitch.path[0]!.anchor;
}

/** The anchor whose norm and head give the answer. */
export function lastAnchor(stitch: Stitch): number {
  return stitch.path.at(-1)!.anchor;
}

/** True for an anchor alone. */
export function isAnchor(stitch: Stitch): boolean {
  return stitch.path.length === 1;
}

/** One block on the path of a stitch. */
export interface BlockOnPath {
  readonly anchor: number;
  readonly block: number;
  /** True for the block behind the stitching layer: what leads into a stage of its own network is skipped. */
  readonly isBehindLayer: boolean;
}

export function blocksOnPath({ path }: Pick<Stitch, 'path'>): BlockOnPath[] {
  return path.flatMap(({ anchor, blocks: [from, to] }, segment) =>
    Array.from({ length: to - from }, (_, index) => ({
      anchor,
      block: from + index,
      isBehindLayer: segment > 0 && index === 0,
    })),
  );
}

/** For people: `Ti[0-4] -> S[4-12]`, blocks half-open; `names` are the anchors' names, small to large. */
export function stitchLabel(stitch: Stitch, names: readonly string[]): string {
  return stitch.path.map(({ anchor, blocks: [from, to] }) => `${names[anchor]}[${from}-${to}]`).join(' -> ');
}
