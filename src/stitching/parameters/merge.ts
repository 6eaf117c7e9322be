/**
 * Merging: what PST added to a stitch becomes part of its weights, W + A B and b + b_n, so that the deployed network has
 * the layers of its anchors and nothing beside them. Computed on the host in float64, once.
 */
import type { Architecture } from '../../models/architecture.js';
import type { NetworkWeights } from '../../models/family.js';
import type { Linear } from '../../models/layers.js';
import { entryOf } from '../../models/pretrained/formats/layout.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import type { Stitch } from '../space/stitch.js';
import { type FrozenNetwork, type FrozenPath, frozenPathOf } from '../stitchable-network.js';
import { biasPartsOf } from './trainables.js';

type Trainables = Readonly<Record<string, Float32NdArray>>;

/** The weights on the path of a stitch, low-rank updates and stitch-specific biases merged; heads stay where they are. */
export function mergeStitch(
  stitch: Stitch,
  frozen: FrozenNetwork<Float32NdArray>,
  trainables: Trainables,
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
    const layer = layers[stitch.stitchingLayer]!;
    const { down, up } = lowRankOf(trainables, stitch.id, `layer/${stitch.stitchingLayer}`);
    merged.layers[stitch.stitchingLayer] = mergeLinear(layer, {
      ...(down && up && { down: down.data, up: up.data, rank: up.shape[0]! }),
      ...optional('bias', trainables[`bias/${stitch.id}/layer`]?.data),
    });
  }
  return merged;
}

function mergeSegment(
  stitch: Stitch,
  segment: number,
  weights: NetworkWeights<Float32NdArray>,
  trainables: Trainables,
  architecture: Architecture,
): NetworkWeights<Float32NdArray> {
  const { anchor, blocks: range } = stitch.path[segment]!;
  const biases = trainables[`bias/${stitch.id}/${segment}`];
  const parts = biasPartsOf(architecture, range);
  const blocks = weights.blocks.map((block, index) => {
    if (index < range[0] || index >= range[1]) return block;
    // The adapted layers are linear layers among the members of a block, by name.
    const layers = block as Readonly<Record<string, Linear<Float32NdArray>>>;
    const merged = architecture.blocks[index]!.adapted.flatMap((stack) => {
      const { down, up } = lowRankOf(trainables, stitch.id, `update/${anchor}/${index}/${stack.name}`);
      return stack.layers.map((layer, position) => {
        const bias = parts.get(index)!.find((part) => part.layer === layer)!;
        const addition: Addition = {
          ...(down && up && { down: entryOf(down, position).data, up: entryOf(up, position).data, rank: up.shape[1]! }),
          ...optional('bias', biases?.data.subarray(bias.offset, bias.offset + bias.length)),
        };
        return [layer, mergeLinear(layers[layer]!, addition)] as const;
      });
    });
    return { ...block, ...Object.fromEntries(merged) };
  });
  return { ...weights, blocks };
}

/** What is added to a linear layer: A [in, rank] times B [rank, out] to its weight, b_n [out] to its bias. */
interface Addition {
  readonly down?: Float32Array;
  readonly up?: Float32Array;
  readonly rank?: number;
  readonly bias?: Float32Array;
}

function mergeLinear(
  { weight, bias }: Linear<Float32NdArray>,
  { down, up, rank, bias: added }: Addition,
): Linear<Float32NdArray> {
  const [from, to] = weight.shape as [number, number];
  return {
    weight: down && up && rank ? float32([from, to], plusProduct(weight.data, down, up, from, rank, to)) : weight,
    bias: added
      ? float32(
          [to],
          bias.data.map((value, index) => value + added[index]!),
        )
      : bias,
  };
}

/** weight [from, to] + down [from, rank] up [rank, to] */
function plusProduct(
  weight: Float32Array,
  down: Float32Array,
  up: Float32Array,
  from: number,
  rank: number,
  to: number,
): Float32Array {
  const result = new Float32Array(weight.length);
  const row = new Float64Array(to);
  for (let i = 0; i < from; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = down[i * rank + k]!;
      for (let j = 0; j < to; j++) row[j]! += factor * up[k * to + j]!;
    }
    for (let j = 0; j < to; j++) result[i * to + j] = weight[i * to + j]! + row[j]!;
  }
  return result;
}

function lowRankOf(trainables: Trainables, id: number, name: string): { down?: Float32NdArray; up?: Float32NdArray } {
  const down = trainables[`own/${id}/${name}/down`] ?? trainables[`${name}/down`];
  const up = trainables[`own/${id}/${name}/up`] ?? trainables[`${name}/up`];
  return { ...(down && { down }), ...(up && { up }) };
}

function optional<Name extends string>(
  name: Name,
  value: Float32Array | undefined,
): Partial<Record<Name, Float32Array>> {
  return value ? ({ [name]: value } as Record<Name, Float32Array>) : {};
}
