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
import { mapTree, type Tree } from '../shared/tree.js';
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
  const tokens = runFront(stitch, frozen, trainables, images, variants).at(-1)!;
  return runRest(stitch, frozen, trainables, tokens, variants);
}

/** The first anchor of a stitch: images -> tokens [batch, tokens, width] after each of its blocks on the path. */
export function runFront(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  images: tf.Tensor,
  variants: readonly ViTVariant[],
): tf.Tensor[] {
  const { anchors } = withTrained(frozen, trainables);
  const front = firstAnchor(stitch);
  const embedded = embed(anchors[front]!.embedding, images, variants[front]!);
  return runSegment(stitch, 0, anchors, trainables, embedded, variants);
}

/** Everything after the first anchor: its last tokens [batch, tokens, width] -> logits [batch, classes]. */
export function runRest(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  tokens: tf.Tensor,
  variants: readonly ViTVariant[],
): tf.Tensor {
  const weights = withTrained(frozen, trainables);
  let x = tokens;
  for (let segment = 1; segment < stitch.path.length; segment++) {
    const crossed = crossLayer(stitch, weights, trainables, x);
    x = runSegment(stitch, segment, weights.anchors, trainables, crossed, variants).at(-1)!;
  }
  const last = lastAnchor(stitch);
  const head = { weight: trainables[`head/${last}/weight`]!, bias: trainables[`head/${last}/bias`]! };
  return classify(weights.anchors[last]!.norm, head, x);
}

/** Weights that are trained themselves (full fine-tuning) take the place of the frozen ones. */
function withTrained(
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
): FrozenPath<tf.Tensor> {
  if (!Object.keys(trainables).some((name) => name.startsWith('weights/'))) return frozen;
  const isTensor = (node: Tree<tf.Tensor>): node is tf.Tensor => node instanceof tf.Tensor;
  const replace = (tensor: tf.Tensor, path: string) => trainables[`weights/${path}`] ?? tensor;
  return mapTree(frozen as unknown as Tree<tf.Tensor>, isTensor, replace) as unknown as FrozenPath<tf.Tensor>;
}

/** Tokens after each block of one segment. */
function runSegment(
  stitch: Stitch,
  segment: number,
  anchors: FrozenPath<tf.Tensor>['anchors'],
  trainables: Readonly<Record<string, tf.Tensor>>,
  x: tf.Tensor,
  variants: readonly ViTVariant[],
): tf.Tensor[] {
  const { anchor, blocks } = stitch.path[segment]!;
  const biases = trainables[`bias/${stitch.id}/${segment}`];
  const tokens: tf.Tensor[] = [];
  for (let block = blocks[0]; block < blocks[1]; block++) {
    const adaptation = blockAdaptation(trainables, stitch.id, anchor, block, biases, block - blocks[0]);
    tokens.push(runBlock(anchors[anchor]!.blocks[block]!, tokens.at(-1) ?? x, variants[anchor]!, adaptation));
  }
  return tokens;
}

function crossLayer(
  { id, stitchingLayer }: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  x: tf.Tensor,
): tf.Tensor {
  const update = lowRankOf(trainables, id, `layer/${stitchingLayer}`);
  const bias = trainables[`bias/${id}/layer`];
  return adapted(frozen.layers[stitchingLayer!]!, x, { ...(update && { update }), ...(bias && { bias }) });
}

/** The part of the stacked tensors that belongs to one block: q, k and v apart. */
function blockAdaptation(
  trainables: Readonly<Record<string, tf.Tensor>>,
  id: number,
  anchor: number,
  block: number,
  biases: tf.Tensor | undefined,
  position: number,
): BlockAdaptation {
  const stacked = lowRankOf(trainables, id, `update/${anchor}/${block}`);
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

/** The stitch's own low-rank update where it has one (SS-LoRA), else the one that all stitches share. */
function lowRankOf(
  trainables: Readonly<Record<string, tf.Tensor>>,
  id: number,
  name: string,
): LowRankUpdate | undefined {
  const down = trainables[`own/${id}/${name}/down`] ?? trainables[`${name}/down`];
  const up = trainables[`own/${id}/${name}/up`] ?? trainables[`${name}/up`];
  return down && up ? { down, up } : undefined;
}
