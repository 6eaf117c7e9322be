/**
 * A stitch as a function of tensors: the front anchor's embedding and first blocks, the stitching layer, the end anchor's
 * remaining blocks, norm and head, all adapted by PST: y = x W + b + s x A B + b_n.
 */
import tf = require('@tensorflow/tfjs');

import { isTensor } from '../engine/tensor.js';
import type { Architecture } from '../models/architecture.js';
import { blockwise, embedInputs } from '../models/blockwise.js';
import type { NetworkWeights } from '../models/family.js';
import { adapted, type Linear } from '../models/layers.js';
import { mapTree } from '../shared/tree.js';
import { adaptedLayersOf, type PathDropout, withDropout } from './parameters/dropout.js';
import { layerUpdateOf, type Trainables } from './parameters/trainables.js';
import { segmentAdaptation } from './segment-adaptation.js';
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

/** What a training step leaves out, where it leaves something out. */
export interface LeftOut {
  readonly dropout?: PathDropout | undefined;
  /** int32 [kept]: tokens that stay, the class token 0 first; see `BlockwiseNetwork.keep`. */
  readonly kept?: tf.Tensor | undefined;
}

/**
 * @param trainables what a stitch has no tensor for, it does without
 * @param inputs images [batch, side, side, 3], or tokens int32 [batch, length] (`TokenInput`)
 * @returns logits [batch, classes], of language models [batch, length, vocabulary]
 */
export function runStitch(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Trainables<tf.Tensor>,
  inputs: tf.Tensor,
  architectures: readonly Architecture[],
  leftOut: LeftOut = {},
): tf.Tensor {
  const features = runFront(stitch, frozen, trainables, inputs, architectures, leftOut).at(-1)!;
  return runEnd(stitch, frozen, trainables, inputs, features, architectures, leftOut.dropout);
}

/** The first anchor of a stitch: inputs -> features after each of its blocks on the path. */
function runFront(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Trainables<tf.Tensor>,
  inputs: tf.Tensor,
  architectures: readonly Architecture[],
  { dropout, kept }: LeftOut = {},
): tf.Tensor[] {
  const { anchors } = withTrainedWeights(frozen, trainables, isTensor);
  const front = firstAnchor(stitch);
  const embedded = embedInputs(architectures[front]!, anchors[front]!, inputs, kept);
  return runSegment(stitch, 0, anchors, trainables, inputs, embedded, architectures, dropout);
}

/** Everything after the first anchor: its last features -> logits. */
function runEnd(
  stitch: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Trainables<tf.Tensor>,
  inputs: tf.Tensor,
  features: tf.Tensor,
  architectures: readonly Architecture[],
  dropout?: PathDropout,
): tf.Tensor {
  const weights = withTrainedWeights(frozen, trainables, isTensor);
  let x = features;
  for (let segment = 1; segment < stitch.path.length; segment++) {
    const crossed = applyStitchingLayer(stitch, weights, trainables, x);
    x = runSegment(stitch, segment, weights.anchors, trainables, inputs, crossed, architectures, dropout).at(-1)!;
  }
  const last = lastAnchor(stitch);
  return blockwise(architectures[last]!).forwardHead(weights.anchors[last]!, trainables.heads[last], x);
}

/** Weights that are trained themselves (full fine-tuning) take the place of the frozen ones. */
export function withTrainedWeights<T, Network extends FrozenPath<T>>(
  frozen: Network,
  { weights }: Pick<Trainables<T>, 'weights'>,
  isLeaf: (node: unknown) => node is T,
): Network {
  if (Object.keys(weights).length === 0) return frozen;
  const replaced: unknown = mapTree(frozen, isLeaf, (leaf, path) => weights[path] ?? leaf);
  return replaced as Network; // leaves of one type are replaced by their like
}

/** Features after each block of one segment. */
function runSegment(
  stitch: Stitch,
  segment: number,
  anchors: FrozenPath<tf.Tensor>['anchors'],
  trainables: Trainables<tf.Tensor>,
  inputs: tf.Tensor,
  x: tf.Tensor,
  architectures: readonly Architecture[],
  dropout?: PathDropout,
): tf.Tensor[] {
  const { anchor, blocks } = stitch.path[segment]!;
  const network = blockwise(architectures[anchor]!);
  const context = network.contextOf?.(inputs);
  const adaptedSegment = {
    stitch: stitch.id,
    anchor,
    blocks,
    architecture: architectures[anchor]!,
    weights: anchors[anchor]!,
  };
  const adaptations = segmentAdaptation(adaptedSegment, trainables, trainables.biases[stitch.id]?.[segment], !dropout);
  let layersBefore = adaptedLayersOf({ path: stitch.path.slice(0, segment) }, architectures).layers;
  const features: tf.Tensor[] = [];
  for (let block = blocks[0]; block < blocks[1]; block++) {
    const before = features.at(-1) ?? x;
    const adaptation = adaptations.get(block)!;
    const shape = architectures[anchor]!.blocks[block]!;
    const dropped = dropout ? withDropout(adaptation, shape, dropout, layersBefore) : adaptation;
    // A stitching layer leads to the input of its end block, behind what its network does before a stage.
    const isBehindLayer = segment > 0 && block === blocks[0];
    const input = isBehindLayer ? before : network.enterBlock(anchors[anchor]!, block, before, dropped);
    layersBefore += shape.adapted.reduce((sum, { layers }) => sum + layers.length, 0);
    features.push(network.runBlock(anchors[anchor]!, block, input, context, dropped));
  }
  return features;
}

/**
 * Stitches from one front anchor to one end anchor, together: the front runs once, and every block of the end anchor runs
 * once for all stitches that have entered it, as one large batch. Only for stitches whose blocks adapt alike.
 *
 * @param stitches by rising first block of the end anchor
 * @param inputs as `runStitch` takes them
 * @returns logits [stitches, batch, classes], of language models [stitches, batch, length, vocabulary]
 */
export function runTogether(
  stitches: readonly Stitch[],
  frozen: FrozenPath<tf.Tensor>,
  trainables: Trainables<tf.Tensor>,
  inputs: tf.Tensor,
  architectures: readonly Architecture[],
): tf.Tensor {
  const weights = withTrainedWeights(frozen, trainables, isTensor);
  const longest = stitches.reduce((one, other) => (frontDepth(other) > frontDepth(one) ? other : one));
  const front = runFront(longest, frozen, trainables, inputs, architectures);
  const { anchor, blocks } = stitches[0]!.path.at(-1)!;
  const network = blockwise(architectures[anchor]!);
  const architecture = architectures[anchor]!;
  const adaptedSegment = { stitch: longest.id, anchor, blocks, architecture, weights: weights.anchors[anchor]! };
  const adaptations = segmentAdaptation(adaptedSegment, trainables);
  const contextOf = (batches: number) => network.contextOf?.(tf.concat(Array(batches).fill(inputs)));
  let joined: tf.Tensor | undefined;
  let running = 0;
  for (let block = blocks[0]; block < blocks[1]; block++) {
    const entering = stitches
      .filter(({ path }) => path.at(-1)!.blocks[0] === block)
      .map((stitch) => applyStitchingLayer(stitch, weights, trainables, front[frontDepth(stitch) - 1]!));
    const inside = joined ? [network.enterBlock(weights.anchors[anchor]!, block, joined, adaptations.get(block))] : [];
    running += entering.length;
    const x = tf.concat([...inside, ...entering]);
    joined = network.runBlock(weights.anchors[anchor]!, block, x, contextOf(running), adaptations.get(block));
  }
  const logits = network.forwardHead(weights.anchors[anchor]!, trainables.heads[anchor], joined!);
  return logits.reshape([stitches.length, inputs.shape[0]!, ...logits.shape.slice(1)]);
}

/** How many blocks of its front anchor a stitch runs. */
function frontDepth({ path }: Stitch): number {
  return path[0]!.blocks[1];
}

function applyStitchingLayer(
  { id, stitchingLayer }: Stitch,
  frozen: FrozenPath<tf.Tensor>,
  trainables: Trainables<tf.Tensor>,
  x: tf.Tensor,
): tf.Tensor {
  const update = layerUpdateOf(trainables, id, stitchingLayer!);
  const bias = trainables.layerBiases[id];
  return adapted(frozen.layers[stitchingLayer!]!, x, { ...(update && { update }), ...(bias && { bias }) });
}
