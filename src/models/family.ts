/**
 * What a family of networks has to tell so that all of its networks can be read, stitched, trained and written. A new
 * family is a folder with one `Family`, and a line in `families.ts`. Networks that read images are known by name;
 * language models are described by the `config.json` beside their weights.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Preprocessing } from '../data/images/preprocessing.js';
import type { Architecture } from './architecture.js';
import type { LayerAdaptation, Linear, Scale } from './layers.js';
import type { Flavour } from './pretrained/flavour.js';
import type { Weights } from './pretrained/formats/weights.js';
import type { PlacelessRow } from './tensor-table.js';

/** All of it is data and names; only `network` loads TensorFlow.js. */
export interface Family {
  readonly name: string;
  /** In messages: "vision transformer". */
  readonly title: string;
  /** The functions that compute with an architecture of the family. */
  network(): Promise<(architecture: Architecture) => BlockwiseNetwork>;
}

/** A family whose networks read images, and get a new head for each task. */
export interface ImageFamily extends Family {
  /** Names of its architectures, as timm has them. */
  readonly architectures: readonly string[];
  /**
   * @param name one of `architectures`
   * @param imageSize side of the square input in pixels, default the one it was pretrained with
   * @param key what the user sets the size with, for messages
   * @throws RequestError for a size that the network cannot divide into patches
   */
  architecture(name: string, imageSize?: number, key?: string): Architecture;
  /** The head's part of the table of tensors, for so many classes; its paths are `weight` and `bias`. */
  headRows(features: number, classes: number): readonly PlacelessRow[];
  /** How its weights are published. */
  readonly published: PublishedWeights;
}

export interface PublishedWeights {
  /** An address of weights that can be read, for messages. */
  readonly example: string;
  /** Matches a name that tells a network of this family, whoever published it. */
  readonly sign: RegExp;
  /**
   * Whose names the file has; undefined when they are nobody's.
   * @throws RequestError when the file holds another size of network than `architecture`
   */
  flavourOf(weights: Weights, architecture: Architecture): Promise<Flavour | undefined>;
  /**
   * How images were normalised, as far as names tell; undefined where they do not.
   * @param origin address on the hub, or file name and folder
   */
  normalisationOf(origin: string, weights: Weights, architecture: Architecture): Normalisation | undefined;
}

export type Normalisation = Pick<Preprocessing, 'mean' | 'std'>;

/** What the weights of all families have in common. */
export interface NetworkWeights<T> {
  readonly embedding: object;
  /** All blocks, stage by stage. */
  readonly blocks: readonly object[];
  readonly norm: Scale<T>;
}

/** What adapts a block, by the name of the layer; see `BlockShape.adapted`. */
export type BlockAdaptation = Readonly<Record<string, LayerAdaptation>>;

/**
 * A network as functions of its weights, a tree as its table of tensors says. Inputs are images [batch, side, side, 3], or
 * numbers of tokens int32 [batch, length] as `TokenInput` says; features x are [batch, tokens, width], or
 * [batch, height, width, channels].
 */
export interface BlockwiseNetwork {
  /** What all blocks need to know of the inputs: positions and padding of tokens. Left out where features say it all. */
  contextOf?(inputs: tf.Tensor): object;
  /** Inputs -> features. */
  embed(weights: NetworkWeights<tf.Tensor>, inputs: tf.Tensor): tf.Tensor;
  /** Embedded features without the dropped patches: kept is int32 [kept]; see `ImageInput.patches`. */
  keep?(x: tf.Tensor, kept: tf.Tensor): tf.Tensor;
  /** From the output of the block before to the input of this one: a downsampling where a stage begins, else nothing. */
  enterBlock(weights: NetworkWeights<tf.Tensor>, block: number, x: tf.Tensor, adaptation?: BlockAdaptation): tf.Tensor;
  /** @param context of the inputs, where the network has one */
  runBlock(
    weights: NetworkWeights<tf.Tensor>,
    block: number,
    x: tf.Tensor,
    context: object | undefined,
    adaptation?: BlockAdaptation,
  ): tf.Tensor;
  /**
   * Features -> logits [batch, classes]; of a language model [batch, length, vocabulary].
   * @param head left out where the network has a head of its own (`Architecture.head`)
   */
  forwardHead(weights: NetworkWeights<tf.Tensor>, head: Linear<tf.Tensor> | undefined, x: tf.Tensor): tf.Tensor;
}
