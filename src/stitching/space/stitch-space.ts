/**
 * The stitch space: every network that can be made of a family of anchors by nearest stitching, that is with at most one
 * stitching layer, from an anchor to the next larger one (SN-Net, Pan et al. 2023, section 3; ziplab/SN-Net,
 * get_stitch_configs). Three anchors of depth 12 give 71 stitches.
 */
import { RequestError } from '../../shared/errors.js';
import { type BlockPair, pairedBlocks, unpairedBlocks } from './pairing.js';
import { isAnchor, type Stitch } from './stitch.js';

/** What the space has to know of an anchor. */
export interface AnchorShape {
  readonly name: string;
  /** Embedding width. */
  readonly width: number;
  /** Number of blocks. */
  readonly depth: number;
}

/** One linear layer from the width of an anchor to the width of the next, at its blocks; shared by all its pairs. */
export interface StitchingLayer {
  /** Index in the space. */
  readonly index: number;
  readonly fromAnchor: number;
  readonly toAnchor: number;
  readonly pairs: readonly BlockPair[];
}

export interface StitchSpace {
  /** In SN-Net's order: the anchors, then the pairs of anchors small to large; `stitches[id].id` is `id`. */
  readonly stitches: readonly Stitch[];
  readonly stitchingLayers: readonly StitchingLayer[];
}

export interface StitchingRule {
  /** `paired` (default): equal depths, sliding window. `unpaired`: a front anchor may be shallower than the end anchor. */
  readonly pairing?: 'paired' | 'unpaired';
  /** Blocks in the sliding window, default 2. Paired only. */
  readonly kernel?: number;
  /** Blocks by which the window slides, default 1. Paired only. */
  readonly stride?: number;
}

/**
 * @param anchors small to large: widths must rise
 * @throws RequestError when the anchors cannot be stitched by `rule`
 */
export function buildStitchSpace(anchors: readonly AnchorShape[], rule: StitchingRule = {}): StitchSpace {
  const { pairing = 'paired', kernel = 2, stride = 1 } = rule;
  checkAnchors(anchors);
  checkWindow(kernel, stride);
  checkDepths(anchors, pairing);
  return assembleSpace(
    anchors.map(({ depth }) => depth),
    (fromAnchor, toAnchor) => {
      const end = anchors[toAnchor]!.depth;
      return pairing === 'paired' ? pairedBlocks(end, kernel, stride) : unpairedBlocks(anchors[fromAnchor]!.depth, end);
    },
  );
}

/**
 * Numbers anchors, stitches and stitching layers in SN-Net's order.
 *
 * @param depths blocks of each anchor, small to large
 * @param layersBetween the pairs of each stitching layer from an anchor to the next larger one
 */
export function assembleSpace(
  depths: readonly number[],
  layersBetween: (fromAnchor: number, toAnchor: number) => readonly (readonly BlockPair[])[],
): StitchSpace {
  const stitches: Stitch[] = depths.map((depth, id) => ({ id, path: [{ anchor: id, blocks: [0, depth] }] }));
  const stitchingLayers: StitchingLayer[] = [];
  for (let toAnchor = 1; toAnchor < depths.length; toAnchor++) {
    const fromAnchor = toAnchor - 1;
    for (const pairs of layersBetween(fromAnchor, toAnchor)) {
      const index = stitchingLayers.length;
      stitchingLayers.push({ index, fromAnchor, toAnchor, pairs });
      for (const [j, k] of pairs) {
        const path: Stitch['path'] = [
          { anchor: fromAnchor, blocks: [0, j + 1] },
          { anchor: toAnchor, blocks: [k, depths[toAnchor]!] },
        ];
        stitches.push({ id: stitches.length, path, stitchingLayer: index });
      }
    }
  }
  return { stitches, stitchingLayers };
}

/** The id of the largest anchor: teacher of in-place distillation, always deployed. */
export function largestAnchor({ stitches }: Pick<StitchSpace, 'stitches'>): number {
  return stitches.findLast(isAnchor)!.id; // anchors stand small to large
}

function checkAnchors(anchors: readonly AnchorShape[]): void {
  if (anchors.length < 2) {
    throw new RequestError(
      `anchors: stitching needs at least 2 anchors, received ${anchors.length}${anchors[0] ? ` (${anchors[0].name})` : ''}`,
      'List two or more networks of one family, small to large.',
    );
  }
  for (const [index, { name, depth }] of anchors.entries()) checkPositive(`depth of anchors.${index} (${name})`, depth);
  const unordered = anchors.some(({ width }, index) => index > 0 && width <= anchors[index - 1]!.width);
  if (unordered) {
    throw new RequestError(
      `anchors: expected widths that rise from small to large, received ${anchors.map(({ name, width }) => `${name} (${width})`).join(', ')}`,
      `Order them ${[...anchors]
        .sort((a, b) => a.width - b.width)
        .map(({ name }) => name)
        .join(', ')}; two anchors of one width cannot be told apart by size.`,
    );
  }
}

function checkDepths(anchors: readonly AnchorShape[], pairing: 'paired' | 'unpaired'): void {
  const received = anchors.map(({ name, depth }) => `${name} (${depth})`).join(', ');
  if (pairing === 'paired' && anchors.some(({ depth }) => depth !== anchors[0]!.depth)) {
    throw new RequestError(
      `anchors: paired stitching needs anchors of equal depth, received ${received}`,
      'Anchors of unequal depth need the unpaired rule; networks in stages are stitched stage by stage.',
    );
  }
  if (pairing === 'unpaired' && anchors.some(({ depth }, index) => index > 0 && depth < anchors[index - 1]!.depth)) {
    throw new RequestError(
      `anchors: unpaired stitching needs depths that do not fall from small to large, received ${received}`,
      'Leave out the anchor that is deeper than the next larger one.',
    );
  }
}

/** The sliding window, as the experiment file gives it. */
export function checkWindow(kernel: number, stride: number): void {
  checkPositive('stitching.kernel', kernel);
  checkPositive('stitching.stride', stride);
}

function checkPositive(path: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RequestError(`${path}: expected a whole number of at least 1, received ${value}`);
  }
}
