/**
 * What adapts the blocks of a segment: low-rank updates, taken out of their stacks, and biases, out of the tensor that a
 * segment has of them.
 *
 * Narrow layers are merged with both at once, those of all blocks together: a few operators do in a program what would be
 * some thirty small ones for each block, and the gradient of the whole weight costs no more than products with A and B.
 */
import tf = require('@tensorflow/tfjs');

import type { Architecture } from '../models/architecture.js';
import type { BlockAdaptation, NetworkWeights } from '../models/family.js';
import type { LayerAdaptation, LinearMap } from '../models/layers.js';
import type { LowRank } from '../models/low-rank.js';
import { groupBy } from '../shared/groups.js';
import { biasPartsOf } from './parameters/shapes.js';
import { blockUpdateOf, type Trainables } from './parameters/trainables.js';

export interface AdaptedSegment {
  readonly stitch: number;
  readonly anchor: number;
  /** First block, and the one behind the last. */
  readonly blocks: readonly [number, number];
  readonly architecture: Architecture;
  /** Of the anchor. */
  readonly weights: NetworkWeights<tf.Tensor>;
}

/**
 * @param biases [values], as `biasPartsOf` divides them; left out: none
 * @param mayMerge false where something comes between a layer and its update; default true
 */
export function segmentAdaptation(
  segment: AdaptedSegment,
  trainables: Trainables<tf.Tensor>,
  biases?: tf.Tensor,
  mayMerge = true,
): ReadonlyMap<number, BlockAdaptation> {
  const stacks = stacksOf(segment, trainables);
  const layers = mayMerge && stacks.every(isNarrow) ? mergedLayers(stacks, biases) : adaptedLayers(stacks, biases);
  const byBlock = new Map<number, Record<string, LayerAdaptation>>();
  for (const [index, { block, layer }] of stacks.flatMap(({ places }) => places).entries()) {
    byBlock.set(block, { ...byBlock.get(block), [layer]: layers[index]! });
  }
  return byBlock;
}

/** Layers of one block that share a stack, in the order in which a segment's biases lie. */
interface Stack {
  readonly places: readonly { readonly block: number; readonly layer: string }[];
  /** What is frozen of them; without a weight where it is quantised. */
  readonly frozen: readonly Partial<LinearMap<tf.Tensor>>[];
  readonly to: number;
  readonly scale: number;
  readonly update: LowRank<tf.Tensor> | undefined;
}

function stacksOf(segment: AdaptedSegment, trainables: Trainables<tf.Tensor>): Stack[] {
  const { stitch, anchor, architecture, weights } = segment;
  return Array.from(biasPartsOf(architecture, segment.blocks).keys()).flatMap((block) => {
    const frozen = weights.blocks[block] as Readonly<Record<string, Partial<LinearMap<tf.Tensor>>>>;
    return architecture.blocks[block]!.adapted.map(({ name, layers, to, scale = 1 }) => ({
      places: layers.map((layer) => ({ block, layer })),
      frozen: layers.map((layer) => frozen[layer]!),
      to,
      scale,
      update: blockUpdateOf(trainables, stitch, { anchor, block, stack: name }),
    }));
  });
}

/**
 * Whether a stack is worth merging: its layers have weights and biases to merge with, and are at most some ranks wide
 * (64 wide at rank 8, the gradient of a weight takes 80 us, that of A and B 77).
 */
function isNarrow({ frozen, update }: Stack): boolean {
  if (!update || !frozen.every(({ weight, bias }) => weight && bias)) return false;
  const [, from, rank] = update.down.shape as [number, number, number];
  const to = update.up.shape[2]!;
  return from * to <= 4 * rank * (from + to);
}

/** Layer by layer: its update, and what is added to its bias. */
function adaptedLayers(stacks: readonly Stack[], biases: tf.Tensor | undefined): LayerAdaptation[] {
  const added = biases && tf.split(biases, lengthsOf(stacks));
  const updates = stacks.flatMap(({ places, update, scale }) => {
    if (!update) return places.map(() => ({}));
    const [downs, ups] = [unstacked(update.down), unstacked(update.up)];
    return places.map((_, index) => ({ update: { down: downs[index]!, up: ups[index]! }, scale }));
  });
  return updates.map((update, index) => (added ? { ...update, bias: added[index]! } : update));
}

/** Layer by layer: its weight W + s A B and its bias. */
function mergedLayers(stacks: readonly Stack[], biases: tf.Tensor | undefined): LayerAdaptation[] {
  const merged = new Map<Stack, tf.Tensor[]>();
  // Stacks whose updates have one shape and one factor.
  const alike = groupBy(stacks, ({ update, scale }) => `${update!.down.shape} ${update!.up.shape} ${scale}`);
  for (const group of alike.values()) {
    const [{ scale, update }] = group as [Stack];
    const [from, to] = [update!.down.shape[1]!, update!.up.shape[2]!];
    const [down, up] = [
      joined(group.map((stack) => stack.update!.down)),
      joined(group.map(({ update }) => update!.up)),
    ];
    const product = tf.matMul(down, up);
    const frozen = joined(group.flatMap((stack) => stack.frozen.map(({ weight }) => weight!))).reshape(product.shape);
    const weights = frozen.add(scale === 1 ? product : product.mul(scale));
    const parts = tf.split(weights.reshape([-1, to]), weights.size / (from * to)).values();
    for (const stack of group)
      merged.set(
        stack,
        stack.places.map(() => parts.next().value!),
      );
  }
  const frozen = joined(stacks.flatMap((stack) => stack.frozen.map(({ bias }) => bias!)));
  const whole = tf.split(biases ? frozen.add(biases) : frozen, lengthsOf(stacks)).values();
  return stacks.flatMap((stack) =>
    merged.get(stack)!.map((weight) => ({ merged: { weight, bias: whole.next().value! } })),
  );
}

const lengthsOf = (stacks: readonly Stack[]) => stacks.flatMap(({ places, to }) => places.map(() => to));

const joined = (tensors: tf.Tensor[]) => (tensors.length === 1 ? tensors[0]! : tf.concat(tensors, 0));

/** The entries along the first axis. Of a single one, TensorFlow.js' unstack has no gradient. */
function unstacked(x: tf.Tensor): tf.Tensor[] {
  return x.shape[0] === 1 ? [x.squeeze([0])] : tf.unstack(x);
}
