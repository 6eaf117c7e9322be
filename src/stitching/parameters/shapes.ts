/** The shapes of everything that a stitch trains, and where the biases of single layers lie in the tensor of a segment. */
import { type Architecture, numFeatures } from '../../models/architecture.js';
import type { LowRank } from '../../models/low-rank.js';
import { type Adaptation, crossingOf, type StitchableNetwork } from '../space/cost.js';
import { blocksOnPath, lastAnchor, type Stitch } from '../space/stitch.js';
import { weightsOnPath } from './path-weights.js';
import { type LowRankUpdates, noTrainables, type Trainables } from './trainables.js';

export type Shape = readonly number[];

export function trainableShapes(
  stitch: Stitch,
  { anchors, classes, adaptation }: StitchableNetwork,
): Trainables<Shape> {
  const last = lastAnchor(stitch);
  const width = numFeatures(anchors[last]!);
  const heads = anchors[last]!.head ? {} : { [last]: { weight: [width, classes], bias: [classes] } };
  if (adaptation === 'full') return { ...noTrainables, weights: weightsOnPath(stitch, anchors), heads };
  const lowRank = lowRankShapes(stitch, anchors, adaptation);
  return {
    ...noTrainables,
    ...(adaptation.ownLowRank ? { own: { [stitch.id]: lowRank } } : lowRank),
    ...(adaptation.stitchBias && biasShapes(stitch, anchors)),
    heads,
  };
}

function lowRankShapes(
  stitch: Stitch,
  anchors: StitchableNetwork['anchors'],
  { ranks, stitchingLayerRank: layerRank }: Adaptation,
): LowRankUpdates<Shape> {
  const updates: Record<number, Record<number, Record<string, LowRank<Shape>>>> = {};
  for (const { anchor, block } of blocksOnPath(stitch)) {
    const rank = ranks[anchor]!;
    if (rank === 0) continue;
    const stacks = anchors[anchor]!.blocks[block]!.adapted.map(({ name, layers: { length }, from, to }) => {
      return [name, { down: [length, from, rank], up: [length, rank, to] }] as const;
    });
    updates[anchor] = { ...updates[anchor], [block]: Object.fromEntries(stacks) };
  }
  const crossing = crossingOf(stitch, anchors);
  const isUpdated = crossing && layerRank > 0;
  return {
    updates,
    layers: isUpdated
      ? { [stitch.stitchingLayer!]: { down: [crossing.from, layerRank], up: [layerRank, crossing.to] } }
      : {},
  };
}

function biasShapes(
  stitch: Stitch,
  anchors: StitchableNetwork['anchors'],
): Pick<Trainables<Shape>, 'biases' | 'layerBiases'> {
  const segments = stitch.path.map(({ anchor, blocks }, segment) => {
    return [segment, [biasLengthOf(anchors[anchor]!, blocks)]] as const;
  });
  const crossing = crossingOf(stitch, anchors);
  return {
    biases: { [stitch.id]: Object.fromEntries(segments) },
    layerBiases: crossing ? { [stitch.id]: [crossing.to] } : {},
  };
}

/** Where the bias of one layer lies in the tensor of its segment. */
export interface BiasPart {
  readonly layer: string;
  readonly offset: number;
  readonly length: number;
}

/** The parts of a segment's biases by block. */
export function biasPartsOf(
  { blocks: shapes }: Pick<Architecture, 'blocks'>,
  [from, to]: Stitch['path'][number]['blocks'],
): Map<number, BiasPart[]> {
  const parts = new Map<number, BiasPart[]>();
  let offset = 0;
  for (let block = from; block < to; block++) {
    const ofBlock: BiasPart[] = [];
    for (const { layers, to: length } of shapes[block]!.adapted) {
      for (const layer of layers) {
        ofBlock.push({ layer, offset, length });
        offset += length;
      }
    }
    parts.set(block, ofBlock);
  }
  return parts;
}

function biasLengthOf(anchor: Pick<Architecture, 'blocks'>, blocks: Stitch['path'][number]['blocks']): number {
  const parts = [...biasPartsOf(anchor, blocks).values()].flat();
  return parts.reduce((sum, { length }) => sum + length, 0);
}
