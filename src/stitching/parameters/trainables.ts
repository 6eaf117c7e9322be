/**
 * What is trained, as a typed tree. PST (ESTA, parameter-efficient stitch fine-tuning) trains low-rank updates, biases and
 * heads; SS-LoRA (supplement H) gives every stitch its own low-rank updates in place of the shared ones; full fine-tuning
 * (SN-Net) trains the weights of the frozen network themselves, and heads.
 *
 * Which layers of a block are adapted, and which share a stack, is a matter of the architecture (`AdaptedLayers`): query,
 * key and value of a vision transformer are the stack `attention`; fc1 and fc2 of a ConvNeXt are `expand` and `contract`, what
 * leads into its stages is `reduce`.
 * names.ts says how the tensors are called in files.
 */
import type { Linear } from '../../models/layers.js';
import type { LowRank } from '../../models/low-rank.js';

export type ByAnchor<T> = Readonly<Record<number, T>>;
export type ByBlock<T> = Readonly<Record<number, T>>;
export type ByStack<T> = Readonly<Record<string, T>>;
export type ByStitch<T> = Readonly<Record<number, T>>;
export type BySegment<T> = Readonly<Record<number, T>>;
export type ByStitchingLayer<T> = Readonly<Record<number, T>>;

/** Low-rank updates of blocks and of stitching layers. */
export interface LowRankUpdates<T> {
  readonly updates: ByAnchor<ByBlock<ByStack<LowRank<T>>>>;
  readonly layers: ByStitchingLayer<LowRank<T>>;
}

/**
 * The order of the groups is the order in which a saliency sums over tensors: another order changes its last digits.
 */
export interface Trainables<T> extends LowRankUpdates<T> {
  /** SS-LoRA: the updates that belong to one stitch. */
  readonly own: ByStitch<LowRankUpdates<T>>;
  /** Shared by all stitches that run the block. */
  readonly updates: LowRankUpdates<T>['updates'];
  /** What a stitch adds to the biases of a segment's adapted layers [values]: block by block, layer by layer. */
  readonly biases: ByStitch<BySegment<T>>;
  /** Shared by the stitches that cross the layer. */
  readonly layers: LowRankUpdates<T>['layers'];
  /** What a stitch adds to the bias of its stitching layer [to]. */
  readonly layerBiases: ByStitch<T>;
  /** Weights of the frozen network that are trained themselves, by their path in it: `anchors/1/blocks/3/query/weight`. */
  readonly weights: Readonly<Record<string, T>>;
  /**
   * Classifiers, weight [width, classes] and bias [classes]: shared by the stitches that end in the anchor. Language
   * models have none: their own head is frozen.
   */
  readonly heads: ByAnchor<Linear<T>>;
}

/** Nothing at all; with `...` the start of trainables that have a few groups only. */
export const noTrainables: Trainables<never> = {
  own: {},
  updates: {},
  biases: {},
  layers: {},
  layerBiases: {},
  weights: {},
  heads: {},
};

/** The names on the way to a tensor: `['updates', '1', '3', 'attention', 'down']`. */
export type TrainablePath = readonly string[];

/** Calls `change` on every tensor, in the order of the groups. */
export function mapTrainables<A, B>(
  trainables: Trainables<A>,
  change: (leaf: A, path: TrainablePath) => B,
): Trainables<B> {
  return combine<A, never, B>(trainables, noTrainables, (leaf, _, path) => leaf && change(leaf, path));
}

/** The tensors of `trainables` that `like` has too. */
export function pickTrainables<T>(trainables: Trainables<T>, like: Trainables<unknown>): Trainables<T> {
  return combine(trainables, like, (leaf, wanted) => (wanted === undefined ? undefined : leaf));
}

/** All tensors of both; where both have one, the second takes its place. */
export function joinTrainables<T>(one: Trainables<T>, other: Trainables<T>): Trainables<T> {
  return combine<T, T, T>(one, other, (leaf, replacement) => replacement ?? leaf);
}

/** The low-rank update of a stack that a stitch runs: its own (SS-LoRA), else the one that all stitches share. */
export function blockUpdateOf<T>(
  { own, updates }: LowRankUpdates<T> & Pick<Trainables<T>, 'own'>,
  stitch: number,
  { anchor, block, stack }: { readonly anchor: number; readonly block: number; readonly stack: string },
): LowRank<T> | undefined {
  return own[stitch]?.updates[anchor]?.[block]?.[stack] ?? updates[anchor]?.[block]?.[stack];
}

/** The low-rank update of its stitching layer that a stitch runs: its own (SS-LoRA), else the shared one. */
export function layerUpdateOf<T>(
  { own, layers }: LowRankUpdates<T> & Pick<Trainables<T>, 'own'>,
  stitch: number,
  layer: number,
): LowRank<T> | undefined {
  return own[stitch]?.layers[layer] ?? layers[layer];
}

/** What becomes of a tensor of one tree and its counterpart of the other; undefined leaves it out. */
type Join<A, B, C> = (a: A | undefined, b: B | undefined, path: TrainablePath) => C | undefined;

/** Joins two trees tensor by tensor. */
export function combine<A, B, C>(a: Trainables<A>, b: Trainables<B>, leaf: Join<A, B, C>): Trainables<C> {
  const updates = records(records(records(lowRank(leaf))));
  const layers = records(lowRank(leaf));
  const owned: Join<LowRankUpdates<A>, LowRankUpdates<B>, LowRankUpdates<C>> = (x, y, path) => {
    const joined = {
      updates: updates(x?.updates, y?.updates, [...path, 'updates']),
      layers: layers(x?.layers, y?.layers, [...path, 'layers']),
    };
    return joined.updates || joined.layers ? { updates: joined.updates ?? {}, layers: joined.layers ?? {} } : undefined;
  };
  return {
    own: records(owned)(a.own, b.own, ['own']) ?? {},
    updates: updates(a.updates, b.updates, ['updates']) ?? {},
    biases: records(records(leaf))(a.biases, b.biases, ['biases']) ?? {},
    layers: layers(a.layers, b.layers, ['layers']) ?? {},
    layerBiases: records(leaf)(a.layerBiases, b.layerBiases, ['layerBiases']) ?? {},
    weights: records(leaf)(a.weights, b.weights, ['weights']) ?? {},
    heads: records(linear(leaf))(a.heads, b.heads, ['heads']) ?? {},
  };
}

/** Undefined in place of a record without entries. */
function records<A, B, C>(
  join: Join<A, B, C>,
): Join<Readonly<Record<string, A>>, Readonly<Record<string, B>>, Readonly<Record<string, C>>> {
  return (a = {}, b = {}, path) => {
    const joined: Record<string, C> = {};
    for (const name of Object.keys({ ...a, ...b })) {
      const value = join(a[name], b[name], [...path, name]);
      if (value !== undefined) joined[name] = value;
    }
    return Object.keys(joined).length > 0 ? joined : undefined;
  };
}

function lowRank<A, B, C>(join: Join<A, B, C>): Join<LowRank<A>, LowRank<B>, LowRank<C>> {
  return (a, b, path) => {
    const down = join(a?.down, b?.down, [...path, 'down']);
    const up = join(a?.up, b?.up, [...path, 'up']);
    return down !== undefined && up !== undefined ? { down, up } : undefined;
  };
}

function linear<A, B, C>(join: Join<A, B, C>): Join<Linear<A>, Linear<B>, Linear<C>> {
  return (a, b, path) => {
    const weight = join(a?.weight, b?.weight, [...path, 'weight']);
    const bias = join(a?.bias, b?.bias, [...path, 'bias']);
    return weight !== undefined && bias !== undefined ? { weight, bias } : undefined;
  };
}
