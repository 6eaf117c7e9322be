/**
 * What a stitch costs: FLOPs of one image or one sequence of tokens, parameters, trainable parameters.
 *
 * Checked against SN-Net's published list of all 71 stitches of DeiT-Ti/S/B (stitching_deit/results/stitches_res.txt) and
 * against the supplement's Table I. Two differences from SN-Net, both on stitched paths only: its forward pass forgets the
 * final norm (5 N D FLOPs less), and its sizes leave out class token and position embedding of the first anchor.
 */
import { type Architecture, type BlockShape, numFeatures } from '../../models/architecture.js';
import { linearFlops, linearParams, lowRankFlops, lowRankParams } from '../../models/cost.js';
import { distinct, sum } from '../../shared/groups.js';
import { blocksOnPath, firstAnchor, lastAnchor, type Stitch } from './stitch.js';
import type { StitchSpace } from './stitch-space.js';

/** What is trained (PST) beside the heads; the anchors and the least-squares start of stitching layers stay frozen. */
export interface Adaptation {
  /** Rank of the low-rank updates in the blocks (q, k, v; fc1, fc2, downsamplings), for each anchor small to large; 0 for none. */
  readonly ranks: readonly number[];
  /** Rank of the low-rank update of the stitching layers; 0 for none. */
  readonly stitchingLayerRank: number;
  /** Every stitch owns bias terms of the adapted layers in its blocks and of its stitching layer. */
  readonly stitchBias: boolean;
  /** `true` is SS-LoRA (supplement H): every stitch owns its low-rank updates too. Default false: all stitches share them. */
  readonly ownLowRank?: boolean;
}

export interface StitchableNetwork {
  /** Small to large. */
  readonly anchors: readonly Architecture[];
  /** Classes of the task. */
  readonly classes: number;
  /** `full`: all weights are trained, as SN-Net does. */
  readonly adaptation: Adaptation | 'full';
}

export interface StitchParams {
  /** Everything before the blocks of the first anchor: patches, class token and position embedding, or the stem. */
  readonly embedding: number;
  /** With what leads from stage to stage. */
  readonly blocks: number;
  readonly stitchingLayer: number;
  /** Final norm of the last anchor. */
  readonly norm: number;
  readonly head: number;
  readonly total: number;
}

export interface TrainableParams {
  /** Weights of the anchors trained themselves: 0 unless the adaptation is `full`. */
  readonly anchors: number;
  /** Low-rank updates in blocks. */
  readonly lowRank: number;
  /** Low-rank updates of stitching layers; their weights and bias when the adaptation is `full`. */
  readonly stitchingLayers: number;
  readonly stitchBias: number;
  readonly heads: number;
  readonly total: number;
}

/** The stitching layer on a path: from so many features to so many, at each of the positions. */
export interface Crossing {
  readonly from: number;
  readonly to: number;
  readonly positions: number;
}

/** Undefined for an anchor alone. */
export function crossingOf(
  { path }: Pick<Stitch, 'path'>,
  anchors: readonly Pick<Architecture, 'blocks'>[],
): Crossing | undefined {
  const [front, end] = path;
  if (!front || !end) return undefined;
  const left = anchors[front.anchor]!.blocks[front.blocks[1] - 1]!;
  const entered = anchors[end.anchor]!.blocks[end.blocks[0]]!;
  return { from: left.width, to: entered.width, positions: left.positions };
}

/** FLOPs of one input with the low-rank updates beside the weights, not merged: how Table I counts. */
export function stitchFlops(stitch: Stitch, { anchors, classes, adaptation }: StitchableNetwork): number {
  const last = anchors[lastAnchor(stitch)]!;
  const blocks = blocksOnPath(stitch).map(({ anchor, block, isBehindLayer }) => {
    const shape = anchors[anchor]!.blocks[block]!;
    const rank = adaptation === 'full' ? 0 : adaptation.ranks[anchor]!;
    const updates = shape.adapted.map(
      ({ layers, from, to }) => layers.length * lowRankFlops(shape.positions, from, to, rank),
    );
    return shape.flops + (isBehindLayer ? 0 : (shape.entry?.flops ?? 0)) + sum(updates);
  });
  const crossing = crossingOf(stitch, anchors);
  const rank = adaptation === 'full' ? 0 : adaptation.stitchingLayerRank;
  const crossed = crossing
    ? linearFlops(crossing.positions, crossing.from, crossing.to) +
      lowRankFlops(crossing.positions, crossing.from, crossing.to, rank)
    : 0;
  const head = last.norm.flops + (last.head?.flops ?? linearFlops(1, numFeatures(last), classes));
  return anchors[firstAnchor(stitch)]!.embedding.flops + sum(blocks) + crossed + head;
}

/** Parameters of the deployed stitch: low-rank updates and stitch-specific bias are merged and add none. */
export function stitchParams(stitch: Stitch, { anchors, classes }: StitchableNetwork): StitchParams {
  const [first, last] = [anchors[firstAnchor(stitch)]!, anchors[lastAnchor(stitch)]!];
  const crossing = crossingOf(stitch, anchors);
  const groups = {
    embedding: first.embedding.params,
    blocks: sum(usedBlocks([stitch], anchors).map(({ params }) => params)),
    stitchingLayer: crossing ? linearParams(crossing.from, crossing.to) : 0,
    norm: last.norm.params,
    head: last.head ? ownHeadParams(last, [first]) : linearParams(numFeatures(last), classes),
  };
  return { ...groups, total: sum(Object.values(groups)) };
}

/** Of the head that a network keeps; a tied one is counted with the embedding where that is counted. */
function ownHeadParams(anchor: Architecture, embedded: readonly Architecture[]): number {
  if (!anchor.head || (anchor.head.tied && embedded.includes(anchor))) return 0;
  return anchor.head.params;
}

/** Trainable parameters that a step on this stitch updates. */
export function trainableParams(stitch: Stitch, network: StitchableNetwork): TrainableParams {
  return trainableOf([stitch], network);
}

/** Trainable parameters of the whole space; what stitches share counts once. */
export function spaceTrainableParams(
  { stitches }: Pick<StitchSpace, 'stitches'>,
  network: StitchableNetwork,
): TrainableParams {
  const shared = trainableOf(stitches, network);
  if (network.adaptation === 'full' || !network.adaptation.ownLowRank) return shared;
  const owned = stitches.map((stitch) => trainableParams(stitch, network));
  return withTotal({
    ...shared,
    lowRank: sum(owned.map(({ lowRank }) => lowRank)),
    stitchingLayers: sum(owned.map(({ stitchingLayers }) => stitchingLayers)),
  });
}

function trainableOf(stitches: readonly Stitch[], network: StitchableNetwork): TrainableParams {
  const { anchors, classes, adaptation } = network;
  const firsts = distinct(stitches.map(firstAnchor)).map((anchor) => anchors[anchor]!);
  const lasts = distinct(stitches.map(lastAnchor)).map((anchor) => anchors[anchor]!);
  const heads = sum(lasts.map((last) => (last.head ? 0 : linearParams(numFeatures(last), classes))));
  const blocks = usedBlocks(stitches, anchors);
  const layers = usedStitchingLayers(stitches, anchors);
  if (adaptation === 'full') {
    const ends = sum(lasts.map((last) => last.norm.params + ownHeadParams(last, firsts)));
    const starts = sum(firsts.map(({ embedding }) => embedding.params));
    return withTotal({
      anchors: starts + sum(blocks.map(({ params }) => params)) + ends,
      lowRank: 0,
      stitchingLayers: sum(layers.map(({ from, to }) => linearParams(from, to))),
      stitchBias: 0,
      heads,
    });
  }
  const { ranks, stitchingLayerRank, stitchBias } = adaptation;
  const updates = ({ anchor, shape }: UsedBlock) =>
    sum(shape.adapted.map(({ layers, from, to }) => layers.length * lowRankParams(from, to, ranks[anchor]!)));
  return withTotal({
    anchors: 0,
    lowRank: sum(blocks.map(updates)),
    stitchingLayers: sum(layers.map(({ from, to }) => lowRankParams(from, to, stitchingLayerRank))),
    stitchBias: stitchBias ? sum(stitches.map((stitch) => stitchBiasParams(stitch, anchors))) : 0,
    heads,
  });
}

/** Bias of the adapted layers in every block of the path, and of the stitching layer. */
function stitchBiasParams(stitch: Stitch, anchors: readonly Architecture[]): number {
  const blocks = blocksOnPath(stitch).map(({ anchor, block }) =>
    sum(anchors[anchor]!.blocks[block]!.adapted.map(({ layers, to }) => layers.length * to)),
  );
  return sum(blocks) + (crossingOf(stitch, anchors)?.to ?? 0);
}

interface UsedBlock {
  readonly anchor: number;
  readonly shape: BlockShape;
  /** With those of what leads into its stage, where a stitch passes that. */
  readonly params: number;
}

/** Every distinct block on the paths. */
function usedBlocks(stitches: readonly Stitch[], anchors: readonly Architecture[]): UsedBlock[] {
  const used = new Map<string, UsedBlock>();
  for (const { anchor, block, isBehindLayer } of stitches.flatMap(blocksOnPath)) {
    const shape = anchors[anchor]!.blocks[block]!;
    const params = shape.params + (isBehindLayer ? 0 : (shape.entry?.params ?? 0));
    const name = `${anchor}/${block}`;
    used.set(name, { anchor, shape, params: Math.max(params, used.get(name)?.params ?? 0) });
  }
  return [...used.values()];
}

/** Every distinct stitching layer on the paths. */
function usedStitchingLayers(stitches: readonly Stitch[], anchors: readonly Architecture[]): Crossing[] {
  const used = new Map<number, Crossing>();
  for (const stitch of stitches) {
    const crossing = crossingOf(stitch, anchors);
    if (crossing && stitch.stitchingLayer !== undefined) used.set(stitch.stitchingLayer, crossing);
  }
  return [...used.values()];
}

function withTotal(groups: Omit<TrainableParams, 'total'>): TrainableParams {
  const { anchors, lowRank, stitchingLayers, stitchBias, heads } = groups;
  const total = anchors + lowRank + stitchingLayers + stitchBias + heads;
  return { anchors, lowRank, stitchingLayers, stitchBias, heads, total };
}
