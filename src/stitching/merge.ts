/**
 * Merging: what PST added to a stitch becomes part of its weights, W + A B and b + b_n, so that the deployed network has
 * the layers of its anchors and nothing beside them. Computed on the host in float64, once.
 */
import type { Linear } from '../models/layers.js';
import { projections, type ViTWeights } from '../models/vision-transformer.js';
import { type Float32NdArray, float32 } from '../shared/arrays.js';
import type { Stitch } from './stitch.js';
import { type FrozenNetwork, type FrozenPath, frozenPathOf } from './stitchable-network.js';

type Trainables = Readonly<Record<string, Float32NdArray>>;

/** The weights on the path of a stitch, low-rank updates and stitch-specific biases merged; heads stay where they are. */
export function mergeStitch(
  stitch: Stitch,
  frozen: FrozenNetwork<Float32NdArray>,
  trainables: Trainables,
): FrozenPath<Float32NdArray> {
  const { anchors, layers } = frozenPathOf(frozen, [stitch]);
  const merged: {
    anchors: Record<number, ViTWeights<Float32NdArray>>;
    layers: Record<number, Linear<Float32NdArray>>;
  } = { anchors: { ...anchors }, layers: { ...layers } };
  for (const segment of stitch.path.keys()) {
    const { anchor } = stitch.path[segment]!;
    merged.anchors[anchor] = mergeSegment(stitch, segment, merged.anchors[anchor]!, trainables);
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
  weights: ViTWeights<Float32NdArray>,
  trainables: Trainables,
): ViTWeights<Float32NdArray> {
  const { anchor, blocks: range } = stitch.path[segment]!;
  const biases = trainables[`bias/${stitch.id}/${segment}`];
  const blocks = weights.blocks.map((block, index) => {
    if (index < range[0] || index >= range[1]) return block;
    const { down, up } = lowRankOf(trainables, stitch.id, `update/${anchor}/${index}`);
    const parts = projections.map((projection, part) => {
      const biasAt = (index - range[0]) * projections.length + part;
      const addition: Addition = {
        ...(down && up && { down: third(down, part), up: third(up, part), rank: up.shape[1]! }),
        ...optional('bias', biases && rowOf(biases, biasAt)),
      };
      return [projection, mergeLinear(block[projection], addition)] as const;
    });
    return { ...block, ...Object.fromEntries(parts) };
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

/** One of the three parts of a tensor [3, ...]: q, k or v. */
function third({ data }: Float32NdArray, part: number): Float32Array {
  const size = data.length / projections.length;
  return data.subarray(part * size, (part + 1) * size);
}

/** Row `index` of a tensor [..., width]. */
function rowOf({ data, shape }: Float32NdArray, index: number): Float32Array {
  const width = shape.at(-1)!;
  return data.subarray(index * width, (index + 1) * width);
}

function optional<Name extends string>(
  name: Name,
  value: Float32Array | undefined,
): Partial<Record<Name, Float32Array>> {
  return value ? ({ [name]: value } as Record<Name, Float32Array>) : {};
}
