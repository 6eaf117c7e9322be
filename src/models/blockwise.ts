/**
 * Networks of all families as the same four functions of trees of weights: into the blocks, from stage to stage, through
 * one block, and to the logits. All that stitching has to call.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Architecture } from './architecture.js';
import * as convNeXt from './convnext/convnext.js';
import type { LayerAdaptation, Linear, Norm } from './layers.js';
import * as viT from './vit/vision-transformer.js';

/** What the weights of all families have in common. */
export interface NetworkWeights<T> {
  readonly embedding: object;
  /** All blocks, stage by stage. */
  readonly blocks: readonly object[];
  readonly norm: Norm<T>;
}

/** What adapts a block, by the name of the layer; see `BlockShape.adapted`. */
export type BlockAdaptation = Readonly<Record<string, LayerAdaptation>>;

/**
 * Weights are those of the architecture's family: `ViTWeights` or `ConvNeXtWeights`. Features x are
 * [batch, tokens, width], or [batch, height, width, channels].
 */
export interface BlockwiseNetwork {
  /** Images [batch, side, side, 3] -> features. */
  embed(weights: NetworkWeights<tf.Tensor>, images: tf.Tensor): tf.Tensor;
  /** From the output of the block before to the input of this one: a downsampling where a stage begins, else nothing. */
  enterBlock(weights: NetworkWeights<tf.Tensor>, block: number, x: tf.Tensor): tf.Tensor;
  runBlock(weights: NetworkWeights<tf.Tensor>, block: number, x: tf.Tensor, adaptation?: BlockAdaptation): tf.Tensor;
  /** Features -> logits [batch, classes]. */
  classify(weights: NetworkWeights<tf.Tensor>, head: Linear<tf.Tensor>, x: tf.Tensor): tf.Tensor;
}

export function blockwise(architecture: Architecture): BlockwiseNetwork {
  if (architecture.family === 'vit') {
    const { variant } = architecture;
    return {
      embed: ({ embedding }: viT.ViTWeights<tf.Tensor>, images) => viT.embed(embedding, images, variant),
      enterBlock: (_weights, _block, x) => x,
      runBlock: ({ blocks }: viT.ViTWeights<tf.Tensor>, block, x, adaptation?: viT.BlockAdaptation) =>
        viT.runBlock(blocks[block]!, x, variant, adaptation),
      classify: ({ norm }, head, x) => viT.classify(norm, head, x),
    };
  }
  const { blocks: shapes } = architecture;
  return {
    embed: ({ embedding }: convNeXt.ConvNeXtWeights<tf.Tensor>, images) => convNeXt.embed(embedding, images),
    enterBlock: ({ downsamplings }: convNeXt.ConvNeXtWeights<tf.Tensor>, block, x) => {
      const { stage, entry } = shapes[block]!;
      return entry ? convNeXt.downsample(downsamplings[stage - 1]!, x) : x;
    },
    runBlock: (
      { blocks }: convNeXt.ConvNeXtWeights<tf.Tensor>,
      block,
      x,
      adaptation?: convNeXt.ConvNeXtBlockAdaptation,
    ) => convNeXt.runBlock(blocks[block]!, x, adaptation),
    classify: ({ norm }, head, x) => convNeXt.classify(norm, head, x),
  };
}

/** A whole network: images [batch, side, side, 3] -> logits [batch, classes]. */
export function runNetwork(
  architecture: Architecture,
  weights: NetworkWeights<tf.Tensor>,
  head: Linear<tf.Tensor>,
  images: tf.Tensor,
): tf.Tensor {
  const network = blockwise(architecture);
  let x = network.embed(weights, images);
  for (const block of architecture.blocks.keys()) {
    x = network.runBlock(weights, block, network.enterBlock(weights, block, x));
  }
  return network.classify(weights, head, x);
}
