/**
 * A stitch as a function of tensors: the front anchor's embedding and first blocks, the stitching layer, the end anchor's
 * remaining blocks, norm and head, all adapted by PST: y = x W + b + x A B + b_n.
 */
import * as tf from '@tensorflow/tfjs';
import type { LowRankUpdate } from '../engine/ops/low-rank-linear.js';
import { adapted, type Linear } from '../models/layers.js';
import type { ViTVariant } from '../models/variants.js';
import {
  type BlockAdaptation,
  classify,
  embed,
  projections,
  runBlock,
  type ViTWeights,
} from '../models/vision-transformer.js';
import { firstAnchor, lastAnchor, type Stitch } from './stitch.js';

/** What is frozen: the anchors, small to large, and the stitching layers as least squares left them. */
export interface FrozenNetwork<T> {
  readonly anchors: readonly ViTWeights<T>[];
  readonly layers: readonly Linear<T>[];
}

/** The parts of the frozen network that a stitch runs, by index. */
export interface FrozenPath<T> {
  readonly anchors: Readonly<Record<number, ViTWeights<T>>>;
  readonly layers: Readonly<Record<number, Linear<T>>>;
}

/** Picks what the given stitches need, so that nothing else is handed to their programs. */
export function frozenPathOf<T>({ anchors, layers }: FrozenNetwork<T>, stitches: readonly Stitch[]): FrozenPath<T> {
  const used: FrozenPath<T> & { anchors: Record<number, ViTWeights<T>>; layers: Record<number, Linear<T>> } = {
    anchors: {},
    layers: {},
  };
  for (const { path, stitchingLayer } of stitches) {
    for (const { anchor } of path) used.anchors[anchor] = anchors[anchor]!;
    if (stitchingLayer !== undefined) used.layers[stitchingLayer] = layers[stitchingLayer]!;
  }
  return used;
}

/**
 * @param trainables named as `trainables.ts` says; what a stitch has no tensor for, it does without
 * @param images [batch, side, side, 3]
 * @returns logits [batch, classes]
 */
export function runStitch(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  images: tf.Tensor,
  variants: readonly ViTVariant[],
): tf.Tensor {
  const front = firstAnchor(stitch);
  let x = embed(frozen.anchors[front]!.embedding, images, variants[front]!);
  for (const [segment, { anchor, blocks }] of stitch.path.entries()) {
    if (segment > 0) x = crossLayer(stitch, frozen, trainables, x);
    const biases = trainables[`bias/${stitch.id}/${segment}`];
    for (let block = blocks[0]; block < blocks[1]; block++) {
      const adaptation = blockAdaptation(trainables, anchor, block, biases, block - blocks[0]);
      x = runBlock(frozen.anchors[anchor]!.blocks[block]!, x, variants[anchor]!, adaptation);
    }
  }
  const last = lastAnchor(stitch);
  const head = { weight: trainables[`head/${last}/weight`]!, bias: trainables[`head/${last}/bias`]! };
  return classify(frozen.anchors[last]!.norm, head, x);
}

function crossLayer(
  { id, stitchingLayer }: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  x: tf.Tensor,
): tf.Tensor {
  const update = lowRankOf(trainables, `layer/${stitchingLayer}`);
  const bias = trainables[`bias/${id}/layer`];
  return adapted(frozen.layers[stitchingLayer!]!, x, { ...(update && { update }), ...(bias && { bias }) });
}

/** The part of the stacked tensors that belongs to one block: q, k and v apart. */
function blockAdaptation(
  trainables: Readonly<Record<string, tf.Tensor>>,
  anchor: number,
  block: number,
  biases: tf.Tensor | undefined,
  position: number,
): BlockAdaptation {
  const stacked = lowRankOf(trainables, `update/${anchor}/${block}`);
  const downs = stacked && tf.unstack(stacked.down);
  const ups = stacked && tf.unstack(stacked.up);
  const parts = biases && tf.unstack(biases.slice([position], [1]).squeeze([0]));
  const entries = projections.map((projection, index) => {
    const update = downs && ups && { down: downs[index]!, up: ups[index]! };
    const bias = parts?.[index];
    return [projection, { ...(update && { update }), ...(bias && { bias }) }];
  });
  return Object.fromEntries(entries);
}

function lowRankOf(trainables: Readonly<Record<string, tf.Tensor>>, name: string): LowRankUpdate | undefined {
  const down = trainables[`${name}/down`];
  const up = trainables[`${name}/up`];
  return down && up ? { down, up } : undefined;
}
