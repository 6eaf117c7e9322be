/**
 * A stitch as a function of tensors: the front anchor's embedding and first blocks, the stitching layer, the end anchor's
 * remaining blocks, norm and head, all adapted by PST: y = x W + b + x A B + b_n.
 */
import * as tf from '@tensorflow/tfjs';
import type { LowRankUpdate } from '../engine/ops/low-rank-linear.js';
import type { Architecture } from '../models/architecture.js';
import { blockwise } from '../models/blockwise.js';
import type { BlockAdaptation, NetworkWeights } from '../models/family.js';
import { adapted, type Linear } from '../models/layers.js';
import { mapTree } from '../shared/tree.js';
import { type BiasPart, biasPartsOf } from './parameters/trainables.js';
import { firstAnchor, lastAnchor, type Stitch } from './space/stitch.js';

/** What is frozen: the anchors, small to large, and the stitching layers as least squares left them. */
export interface FrozenNetwork<T> {
  readonly anchors: readonly NetworkWeights<T>[];
  readonly layers: readonly Linear<T>[];
}

/** The parts of the frozen network that a stitch runs, by index. */
export interface FrozenPath<T> {
  readonly anchors: Readonly<Record<number, NetworkWeights<T>>>;
  readonly layers: Readonly<Record<number, Linear<T>>>;
}

/** Picks what the given stitches need, so that nothing else is handed to their programs. */
export function frozenPathOf<T>({ anchors, layers }: FrozenNetwork<T>, stitches: readonly Stitch[]): FrozenPath<T> {
  const used: FrozenPath<T> & { anchors: Record<number, NetworkWeights<T>>; layers: Record<number, Linear<T>> } = {
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
  architectures: readonly Architecture[],
): tf.Tensor {
  const features = runFront(stitch, frozen, trainables, images, architectures).at(-1)!;
  return runRest(stitch, frozen, trainables, features, architectures);
}

/** The first anchor of a stitch: images -> features after each of its blocks on the path. */
export function runFront(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  images: tf.Tensor,
  architectures: readonly Architecture[],
): tf.Tensor[] {
  const { anchors } = withTrained(frozen, trainables);
  const front = firstAnchor(stitch);
  const embedded = blockwise(architectures[front]!).embed(anchors[front]!, images);
  return runSegment(stitch, 0, anchors, trainables, embedded, architectures);
}

/** Everything after the first anchor: its last features -> logits [batch, classes]. */
export function runRest(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  features: tf.Tensor,
  architectures: readonly Architecture[],
): tf.Tensor {
  const weights = withTrained(frozen, trainables);
  let x = features;
  for (let segment = 1; segment < stitch.path.length; segment++) {
    const crossed = crossLayer(stitch, weights, trainables, x);
    x = runSegment(stitch, segment, weights.anchors, trainables, crossed, architectures).at(-1)!;
  }
  const last = lastAnchor(stitch);
  const head = { weight: trainables[`head/${last}/weight`]!, bias: trainables[`head/${last}/bias`]! };
  return blockwise(architectures[last]!).forwardHead(weights.anchors[last]!, head, x);
}

/** Weights that are trained themselves (full fine-tuning) take the place of the frozen ones. */
function withTrained(
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
): FrozenPath<tf.Tensor> {
  if (!Object.keys(trainables).some((name) => name.startsWith('weights/'))) return frozen;
  const isTensor = (node: unknown): node is tf.Tensor => node instanceof tf.Tensor;
  const replace = (tensor: tf.Tensor, path: string) => trainables[`weights/${path}`] ?? tensor;
  return mapTree(frozen, isTensor, replace);
}

/** Features after each block of one segment. */
function runSegment(
  stitch: Stitch,
  segment: number,
  anchors: FrozenPath<tf.Tensor>['anchors'],
  trainables: Readonly<Record<string, tf.Tensor>>,
  x: tf.Tensor,
  architectures: readonly Architecture[],
): tf.Tensor[] {
  const { anchor, blocks } = stitch.path[segment]!;
  const network = blockwise(architectures[anchor]!);
  const biases = trainables[`bias/${stitch.id}/${segment}`];
  const parts = biasPartsOf(architectures[anchor]!, blocks);
  const features: tf.Tensor[] = [];
  for (let block = blocks[0]; block < blocks[1]; block++) {
    const before = features.at(-1) ?? x;
    // A stitching layer leads to the input of its end block, behind what its network does before a stage.
    const input = segment > 0 && block === blocks[0] ? before : network.enterBlock(anchors[anchor]!, block, before);
    const updates = lowRankUpdates(trainables, stitch.id, `update/${anchor}/${block}`, architectures[anchor]!, block);
    const adaptation = withBiases(updates, biases, parts.get(block)!);
    features.push(network.runBlock(anchors[anchor]!, block, input, adaptation));
  }
  return features;
}

/**
 * Stitches from one front anchor to one end anchor, together: the front runs once, and every block of the end anchor runs
 * once for all stitches that have entered it, as one large batch. Only for stitches whose blocks adapt alike.
 *
 * @param stitches by rising first block of the end anchor
 * @returns logits [stitches, batch, classes]
 */
export function runTogether(
  stitches: readonly Stitch[],
  frozen: FrozenPath<tf.Tensor>,
  trainables: Readonly<Record<string, tf.Tensor>>,
  images: tf.Tensor,
  architectures: readonly Architecture[],
): tf.Tensor {
  const weights = withTrained(frozen, trainables);
  const longest = stitches.reduce((one, other) => (leaves(other) > leaves(one) ? other : one));
  const front = runFront(longest, frozen, trainables, images, architectures);
  const { anchor, blocks } = stitches[0]!.path.at(-1)!;
  const network = blockwise(architectures[anchor]!);
  let joined: tf.Tensor | undefined;
  for (let block = blocks[0]; block < blocks[1]; block++) {
    const entering = stitches
      .filter(({ path }) => path.at(-1)!.blocks[0] === block)
      .map((stitch) => crossLayer(stitch, weights, trainables, front[leaves(stitch) - 1]!));
    const inside = joined ? [network.enterBlock(weights.anchors[anchor]!, block, joined)] : [];
    const updates = lowRankUpdates(trainables, longest.id, `update/${anchor}/${block}`, architectures[anchor]!, block);
    joined = network.runBlock(weights.anchors[anchor]!, block, tf.concat([...inside, ...entering]), updates);
  }
  const head = { weight: trainables[`head/${anchor}/weight`]!, bias: trainables[`head/${anchor}/bias`]! };
  const logits = network.forwardHead(weights.anchors[anchor]!, head, joined!);
  return logits.reshape([stitches.length, images.shape[0]!, logits.shape[1]!]);
}

/** How many blocks of its front anchor a stitch runs. */
function leaves({ path }: Stitch): number {
  return path[0]!.blocks[1];
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

/** The low-rank updates of a block, taken out of their stacks: one for each layer. */
function lowRankUpdates(
  trainables: Readonly<Record<string, tf.Tensor>>,
  id: number,
  prefix: string,
  { blocks }: Architecture,
  block: number,
): BlockAdaptation {
  const entries = blocks[block]!.adapted.flatMap(({ name, layers }) => {
    const stacked = lowRankOf(trainables, id, `${prefix}/${name}`);
    if (!stacked) return [];
    const [downs, ups] = [unstacked(stacked.down), unstacked(stacked.up)];
    return layers.map((layer, index) => [layer, { update: { down: downs[index]!, up: ups[index]! } }] as const);
  });
  return Object.fromEntries(entries);
}

/** The entries along the first axis. Of a single one, TensorFlow.js' unstack has no gradient. */
function unstacked(x: tf.Tensor): tf.Tensor[] {
  return x.shape[0] === 1 ? [x.squeeze([0])] : tf.unstack(x);
}

/** Adds the stitch-specific biases of a block to what adapts it. */
function withBiases(
  adaptation: BlockAdaptation,
  biases: tf.Tensor | undefined,
  parts: readonly BiasPart[],
): BlockAdaptation {
  if (!biases) return adaptation;
  const entries = parts.map(({ layer, offset, length }) => [
    layer,
    { ...adaptation[layer], bias: biases.slice([offset], [length]) },
  ]);
  return { ...adaptation, ...Object.fromEntries(entries) };
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
