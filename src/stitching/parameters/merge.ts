/**
 * Merging: what PST added to a stitch becomes part of its weights, W + s A B and b + b_n, so that the deployed network has
 * the layers of its anchors and nothing beside them. Computed on the host in float64, once.
 */
import type { Architecture } from '../../models/architecture.js';
import type { NetworkWeights } from '../../models/family.js';
import type { Linear, LinearMap } from '../../models/layers.js';
import { type LowRank, mergedWeight } from '../../models/low-rank.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import { groupBy } from '../../shared/groups.js';
import type { Stitch } from '../space/stitch.js';
import { type FrozenNetwork, type FrozenPath, frozenPathOf } from '../stitchable-network.js';
import { segmentLayers } from './segment-layers.js';
import { layerUpdateOf, type Trainables } from './trainables.js';

/** The weights on the path of a stitch, low-rank updates and stitch-specific biases merged; heads stay where they are. */
export function mergeStitch(
  stitch: Stitch,
  frozen: FrozenNetwork<Float32NdArray>,
  trainables: Trainables<Float32NdArray>,
  architectures: readonly Architecture[],
): FrozenPath<Float32NdArray> {
  const { anchors, layers } = frozenPathOf(frozen, [stitch]);
  const merged: {
    anchors: Record<number, NetworkWeights<Float32NdArray>>;
    layers: Record<number, Linear<Float32NdArray>>;
  } = { anchors: { ...anchors }, layers: { ...layers } };
  for (const segment of stitch.path.keys()) {
    const { anchor } = stitch.path[segment]!;
    merged.anchors[anchor] = mergeSegment(stitch, segment, merged.anchors[anchor]!, trainables, architectures[anchor]!);
  }
  if (stitch.stitchingLayer !== undefined) {
    merged.layers[stitch.stitchingLayer] = mergeStitchingLayer(stitch, layers[stitch.stitchingLayer]!, trainables);
  }
  return merged;
}

/** @param layer that the stitch crosses, as least squares left it */
export function mergeStitchingLayer(
  stitch: Stitch,
  { weight, bias }: Linear<Float32NdArray>,
  trainables: Trainables<Float32NdArray>,
): Linear<Float32NdArray> {
  const update = layerUpdateOf(trainables, stitch.id, stitch.stitchingLayer!);
  return { weight: mergeWeight(weight, update), bias: mergeBias(bias, trainables.layerBiases[stitch.id]?.data)! };
}

function mergeSegment(
  stitch: Stitch,
  segment: number,
  weights: NetworkWeights<Float32NdArray>,
  trainables: Trainables<Float32NdArray>,
  architecture: Architecture,
): NetworkWeights<Float32NdArray> {
  const adapted = groupBy(segmentLayers(stitch, segment, trainables, architecture), ({ block }) => block);
  const blocks = weights.blocks.map((block, index) => {
    // The adapted layers are linear layers among the members of a block, by name.
    const layers = block as Readonly<Record<string, LinearMap<Float32NdArray>>>;
    const merged = (adapted.get(index) ?? []).map(({ layer, update, scale, bias: added }) => {
      const { weight, bias } = layers[layer]!;
      const mergedBias = mergeBias(bias, added?.data);
      return [layer, { weight: mergeWeight(weight, update, scale), ...(mergedBias && { bias: mergedBias }) }] as const;
    });
    return merged.length > 0 ? { ...block, ...Object.fromEntries(merged) } : block;
  });
  return { ...weights, blocks };
}

function mergeWeight(weight: Float32NdArray, update: LowRank<Float32NdArray> | undefined, scale = 1): Float32NdArray {
  return update ? mergedWeight(weight, update, scale) : weight;
}

/** b + `added` [to]; undefined where there is neither. */
function mergeBias(bias: Float32NdArray | undefined, added: Float32Array | undefined): Float32NdArray | undefined {
  if (!added) return bias;
  return float32(
    [added.length],
    added.map((value, index) => (bias?.data[index] ?? 0) + value),
  );
}
