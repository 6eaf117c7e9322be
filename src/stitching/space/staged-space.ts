/**
 * The stitch space of networks in stages, such as ConvNeXt: an anchor is left and the next larger one entered inside one
 * stage, because only there the feature maps have one size; so no stitch crosses a downsampling. The last stage, on which
 * the head depends most, is left out, and a stitch has one stitching layer (ziplab/SN-Net, stitching_swin/snnet.py).
 *
 * Blocks are numbered through all stages. In a stage of equal depth the pairs are those of the sliding window whose end
 * block lies behind the front block; in a window of 2 that keeps the depth of the stage. In a stage of unequal depth a
 * block of the end anchor follows its nearest front block, by the share of the stage that lies before them.
 *
 * ConvNeXt-T/S/B (depths 3-3-9-3, 3-3-27-3, 3-3-27-3): 3 anchors and 30 stitches for each pair, 63 in all, as many
 * stitching layers as 13 (T to S) and 30 (S to B).
 */
import { RequestError } from '../../shared/errors.js';
import { type BlockPair, pairedBlocks, unpairedBlocks } from './pairing.js';
import { assembleSpace, checkWindow, type StitchingRule, type StitchSpace } from './stitch-space.js';

export interface StageShape {
  /** Number of blocks. */
  readonly depth: number;
  /** Channels. */
  readonly width: number;
}

export interface StagedAnchorShape {
  readonly name: string;
  readonly stages: readonly StageShape[];
}

/**
 * @param anchors small to large: with as many stages each, of which none gets shallower or narrower
 * @param rule the window for stages of equal depth
 * @throws RequestError when the anchors cannot be stitched
 */
export function buildStagedSpace(
  anchors: readonly StagedAnchorShape[],
  rule: Omit<StitchingRule, 'pairing'> = {},
): StitchSpace {
  const { kernel = 2, stride = 1 } = rule;
  checkAnchors(anchors);
  checkWindow(kernel, stride);
  const depths = anchors.map(({ stages }) => stages.reduce((sum, { depth }) => sum + depth, 0));
  return assembleSpace(depths, (fromAnchor, toAnchor) =>
    stagePairs(anchors[fromAnchor]!.stages, anchors[toAnchor]!.stages, kernel, stride),
  );
}

/** The pairs of each stitching layer, stage by stage, as numbers of blocks in the whole networks. */
function stagePairs(
  front: readonly StageShape[],
  end: readonly StageShape[],
  kernel: number,
  stride: number,
): BlockPair[][] {
  const layers: BlockPair[][] = [];
  let [frontStart, endStart] = [0, 0];
  for (const [stage, { depth }] of front.slice(0, -1).entries()) {
    const endDepth = end[stage]!.depth;
    const inStage =
      depth === endDepth
        ? pairedBlocks(depth, kernel, stride).map((pairs) => pairs.filter(([j, k]) => j < k))
        : unpairedBlocks(depth, endDepth);
    for (const pairs of inStage) {
      if (pairs.length > 0) layers.push(pairs.map(([j, k]) => [frontStart + j, endStart + k]));
    }
    frontStart += depth;
    endStart += endDepth;
  }
  return layers;
}

function checkAnchors(anchors: readonly StagedAnchorShape[]): void {
  if (anchors.length < 2) {
    throw new RequestError(
      `anchors: stitching needs at least 2 anchors, received ${anchors.length}${anchors[0] ? ` (${anchors[0].name})` : ''}`,
      'List two or more networks of one family, small to large.',
    );
  }
  for (const [index, larger] of anchors.entries()) {
    const smaller = anchors[index - 1];
    if (smaller && !isLarger(larger, smaller)) {
      throw new RequestError(
        `anchors: expected networks that grow from small to large in the depths and widths of their stages, received ${described(smaller)} before ${described(larger)}`,
        'Order them by size, and leave out an anchor that is deeper but narrower than its neighbour.',
      );
    }
  }
}

/** No stage is shallower or narrower, and one is deeper or wider. */
function isLarger({ stages }: StagedAnchorShape, smaller: StagedAnchorShape): boolean {
  const pairs = stages.map((stage, index) => [stage, smaller.stages[index]] as const);
  return (
    stages.length === smaller.stages.length &&
    pairs.every(([a, b]) => a.depth >= b!.depth && a.width >= b!.width) &&
    pairs.some(([a, b]) => a.depth > b!.depth || a.width > b!.width)
  );
}

function described({ name, stages }: StagedAnchorShape): string {
  return `${name} (depths ${stages.map(({ depth }) => depth).join('-')}, widths ${stages.map(({ width }) => width).join('-')})`;
}
