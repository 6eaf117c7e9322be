/**
 * An architecture as data: what stitching, costs and trainables have to know of a network, block by block, whatever its
 * family. The functions that compute with it are in `blockwise.ts`, so that nothing here loads TensorFlow.js.
 */
import type { Preprocessing } from '../data/images/preprocessing.js';
import type { TensorRow } from './tensor-table.js';

/** Images are RGB. */
export const imageChannels = 3;

export interface Cost {
  /** Of one image, or of one sequence of tokens, as cost.ts counts. */
  readonly flops: number;
  readonly params: number;
}

/** Linear layers of one shape in a block that PST adapts; their low-rank updates are stacked in one tensor. */
export interface AdaptedLayers {
  /** Name of the stack among the trainables. */
  readonly name: string;
  /** Names of the layers in the block's weights, in the order of the stack. */
  readonly layers: readonly string[];
  readonly from: number;
  readonly to: number;
  /** Factor of the updates, alpha / rank; default 1. */
  readonly scale?: number;
}

/** One block; its cost is without low-rank updates. */
export interface BlockShape extends Cost {
  /** The stage it belongs to: networks can be stitched only inside a stage. A network without stages is one. */
  readonly stage: number;
  /** Features of a token, or channels of a pixel. */
  readonly width: number;
  /** Tokens, or pixels. */
  readonly positions: number;
  readonly adapted: readonly AdaptedLayers[];
  /** What leads into the stage, where the block is its first one: a downsampling. A stitch that enters here skips it. */
  readonly entry?: Cost;
}

/** What a network reads: images [batch, side, side, 3], or numbers of tokens int32 [batch, length]. */
export type NetworkInput = ImageInput | TokenInput;

export interface ImageInput {
  readonly kind: 'images';
  /** Side of the square input, pixels. */
  readonly side: number;
  /** How images were prepared when the pretrained weights were evaluated. */
  readonly preprocessing: Preprocessing;
  /** Patches that a training step can leave out; left out where the network needs the whole image. */
  readonly patches?: number;
}

/** -1 stands for padding, which comes before the first token: nothing sees it. */
export interface TokenInput {
  readonly kind: 'tokens';
  /** Tokens of the sequence that costs are counted of. */
  readonly length: number;
}

/** The head that a network has been trained with and keeps; it is frozen. */
export interface OwnHead extends Cost {
  /** It is the embedding of the network, whose parameters count once where a stitch begins and ends in it. */
  readonly tied: boolean;
}

export interface Architecture {
  /** A `Family` of families.ts. */
  readonly family: string;
  /** What only the family reads: number of heads, side of a patch. */
  readonly variant: object;
  readonly name: string;
  readonly input: NetworkInput;
  /** Classes of the pretrained head. */
  readonly classes: number;
  /** Everything before the first block. */
  readonly embedding: Cost;
  /** All blocks, stage by stage. */
  readonly blocks: readonly BlockShape[];
  /** The norm before the head, which reads the width of the last block. */
  readonly norm: Cost;
  /** Of a language model; left out: each task brings a new linear layer for its classes. */
  readonly head?: OwnHead;
  /** Every tensor but those of a new head, in the order of the tree. */
  readonly tensors: readonly TensorRow[];
}

/** What the head reads, as timm names it. */
export function numFeatures({ blocks }: Pick<Architecture, 'blocks'>): number {
  return blocks.at(-1)!.width;
}

/** Blocks and width of each stage. */
export function stagesOf({ blocks }: Pick<Architecture, 'blocks'>): { depth: number; width: number }[] {
  const stages: { depth: number; width: number }[] = [];
  for (const { stage, width } of blocks) {
    stages[stage] ??= { depth: 0, width };
    stages[stage].depth++;
  }
  return stages;
}

/** The input of a network that must read images; throws an Error for one that reads tokens. */
export function imageInputOf({ name, input }: Pick<Architecture, 'name' | 'input'>): ImageInput {
  if (input.kind !== 'images') throw new Error(`${name} reads tokens, not images`);
  return input;
}
