/**
 * What a stitch of vision transformers costs: FLOPs of one image, parameters, trainable parameters.
 *
 * Checked against SN-Net's published list of all 71 stitches of DeiT-Ti/S/B (stitching_deit/results/stitches_res.txt) and
 * against the supplement's Table I. Two differences from SN-Net, both on stitched paths only: its forward pass forgets the
 * final norm (5 N D FLOPs less), and its sizes leave out class token and position embedding of the first anchor.
 */
import {
  layerNormFlops,
  layerNormParams,
  linearFlops,
  linearParams,
  lowRankFlops,
  lowRankParams,
  type ViTShape,
  vitBlockFlops,
  vitBlockParams,
  vitEmbeddingFlops,
  vitEmbeddingParams,
} from '../models/cost.js';
import { tokensOf } from '../models/variants.js';
import { firstAnchor, lastAnchor, type Stitch } from './stitch.js';
import type { StitchSpace } from './stitch-space.js';

/** What is trained (PST) beside the heads; the anchors and the least-squares start of stitching layers stay frozen. */
export interface Adaptation {
  /** Rank of the low-rank update of query, key and value, for each anchor small to large; 0 for none. */
  readonly ranks: readonly number[];
  /** Rank of the low-rank update of the stitching layers; 0 for none. */
  readonly stitchingLayerRank: number;
  /** Every stitch owns bias terms of q, k and v in its blocks and of its stitching layer. */
  readonly stitchBias: boolean;
  /** `true` is SS-LoRA (supplement H): every stitch owns its low-rank updates too. Default false: all stitches share them. */
  readonly ownLowRank?: boolean;
}

export interface StitchableViT {
  /** Small to large. */
  readonly anchors: readonly ViTShape[];
  /** Classes of the task. */
  readonly classes: number;
  /** `full`: all weights are trained, as SN-Net does. */
  readonly adaptation: Adaptation | 'full';
}

export interface StitchParams {
  /** Patch embedding, class token and position embedding of the first anchor. */
  readonly embedding: number;
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
  /** Low-rank updates of query, key and value. */
  readonly lowRank: number;
  /** Low-rank updates of stitching layers; their weights and bias when the adaptation is `full`. */
  readonly stitchingLayers: number;
  readonly stitchBias: number;
  readonly heads: number;
  readonly total: number;
}

/** FLOPs of one image with the low-rank updates beside the weights, not merged: how Table I counts. */
export function stitchFlops(stitch: Stitch, { anchors, classes, adaptation }: StitchableViT): number {
  const first = anchors[firstAnchor(stitch)]!;
  const last = anchors[lastAnchor(stitch)]!;
  const tokens = tokensOf(last);
  const blocks = stitch.path.map(({ anchor, blocks: [from, to] }) => {
    const rank = adaptation === 'full' ? 0 : adaptation.ranks[anchor]!;
    return (to - from) * vitBlockFlops(anchors[anchor]!, rank);
  });
  const rank = adaptation === 'full' ? 0 : adaptation.stitchingLayerRank;
  const crossing =
    stitch.stitchingLayer === undefined
      ? 0
      : linearFlops(tokens, first.width, last.width) + lowRankFlops(tokens, first.width, last.width, rank);
  const head = layerNormFlops(tokens, last.width) + linearFlops(1, last.width, classes);
  return vitEmbeddingFlops(first) + sum(blocks) + crossing + head;
}

/** Parameters of the deployed stitch: low-rank updates and stitch-specific bias are merged and add none. */
export function stitchParams(stitch: Stitch, { anchors, classes }: StitchableViT): StitchParams {
  const first = anchors[firstAnchor(stitch)]!;
  const last = anchors[lastAnchor(stitch)]!;
  const groups = {
    embedding: vitEmbeddingParams(first),
    blocks: sum(stitch.path.map(({ anchor, blocks: [from, to] }) => (to - from) * vitBlockParams(anchors[anchor]!))),
    stitchingLayer: stitch.stitchingLayer === undefined ? 0 : linearParams(first.width, last.width),
    norm: layerNormParams(last.width),
    head: linearParams(last.width, classes),
  };
  return { ...groups, total: sum(Object.values(groups)) };
}

/** Trainable parameters that a step on this stitch updates. */
export function trainableParams(stitch: Stitch, network: StitchableViT): TrainableParams {
  return trainableOf([stitch], network);
}

/** Trainable parameters of the whole space; what stitches share counts once. */
export function spaceTrainableParams(
  { stitches }: Pick<StitchSpace, 'stitches'>,
  network: StitchableViT,
): TrainableParams {
  if (network.adaptation === 'full' || !network.adaptation.ownLowRank) return trainableOf(stitches, network);
  const shared = trainableOf(stitches, network);
  const owned = stitches.map((stitch) => trainableParams(stitch, network));
  return withTotal({
    ...shared,
    lowRank: sum(owned.map(({ lowRank }) => lowRank)),
    stitchingLayers: sum(owned.map(({ stitchingLayers }) => stitchingLayers)),
  });
}

function trainableOf(stitches: readonly Stitch[], network: StitchableViT): TrainableParams {
  const { anchors, classes, adaptation } = network;
  const heads = sum(distinct(stitches.map(lastAnchor)).map((anchor) => linearParams(anchors[anchor]!.width, classes)));
  const blocks = usedBlocks(stitches);
  const layers = usedStitchingLayers(stitches, anchors);
  if (adaptation === 'full') {
    const ends = sum(distinct(stitches.map(lastAnchor)).map((anchor) => layerNormParams(anchors[anchor]!.width)));
    const starts = sum(distinct(stitches.map(firstAnchor)).map((anchor) => vitEmbeddingParams(anchors[anchor]!)));
    return withTotal({
      anchors: starts + sum(blocks.map((anchor) => vitBlockParams(anchors[anchor]!))) + ends,
      lowRank: 0,
      stitchingLayers: sum(layers.map(([from, to]) => linearParams(from, to))),
      stitchBias: 0,
      heads,
    });
  }
  const { ranks, stitchingLayerRank, stitchBias } = adaptation;
  const attention = (anchor: number) =>
    3 * lowRankParams(anchors[anchor]!.width, anchors[anchor]!.width, ranks[anchor]!);
  return withTotal({
    anchors: 0,
    lowRank: sum(blocks.map(attention)),
    stitchingLayers: sum(layers.map(([from, to]) => lowRankParams(from, to, stitchingLayerRank))),
    stitchBias: stitchBias ? sum(stitches.map((stitch) => stitchBiasParams(stitch, anchors))) : 0,
    heads,
  });
}

/** Bias of q, k and v in every block of the path, and of the stitching layer. */
function stitchBiasParams(stitch: Stitch, anchors: readonly ViTShape[]): number {
  const blocks = stitch.path.map(({ anchor, blocks: [from, to] }) => (to - from) * 3 * anchors[anchor]!.width);
  return sum(blocks) + (stitch.stitchingLayer === undefined ? 0 : anchors[lastAnchor(stitch)]!.width);
}

/** The anchor of every distinct block on the paths. */
function usedBlocks(stitches: readonly Stitch[]): number[] {
  const used = new Map<string, number>();
  for (const { anchor, blocks } of stitches.flatMap(({ path }) => path)) {
    for (let block = blocks[0]; block < blocks[1]; block++) used.set(`${anchor}/${block}`, anchor);
  }
  return [...used.values()];
}

/** The widths of every distinct stitching layer on the paths. */
function usedStitchingLayers(stitches: readonly Stitch[], anchors: readonly ViTShape[]): [from: number, to: number][] {
  const used = new Map<number, [number, number]>();
  for (const stitch of stitches) {
    if (stitch.stitchingLayer === undefined) continue;
    used.set(stitch.stitchingLayer, [anchors[firstAnchor(stitch)]!.width, anchors[lastAnchor(stitch)]!.width]);
  }
  return [...used.values()];
}

function withTotal(groups: Omit<TrainableParams, 'total'>): TrainableParams {
  const { anchors, lowRank, stitchingLayers, stitchBias, heads } = groups;
  const total = anchors + lowRank + stitchingLayers + stitchBias + heads;
  return { anchors, lowRank, stitchingLayers, stitchBias, heads, total };
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
