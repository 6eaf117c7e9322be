/**
 * Networks of all families as the same few functions of trees of weights: into the blocks, from stage to stage, through
 * one block, and to the logits. All that stitching has to call. Loads TensorFlow.js.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Architecture } from './architecture.js';
import { families } from './families.js';
import type { BlockwiseNetwork, NetworkWeights } from './family.js';
import type { Linear } from './layers.js';

const networks = new Map(
  await Promise.all(families.map(async (family) => [family.name, await family.network()] as const)),
);

/** The functions of a network, whose weights are those of its architecture. */
export function blockwise(architecture: Architecture): BlockwiseNetwork {
  return networks.get(architecture.family)!(architecture);
}

/**
 * What the first block gets.
 * @param kept int32 [kept], tokens that are not dropped, the class token 0 first; left out: all
 */
export function embedInputs(
  architecture: Architecture,
  weights: NetworkWeights<tf.Tensor>,
  inputs: tf.Tensor,
  kept?: tf.Tensor,
): tf.Tensor {
  const network = blockwise(architecture);
  const embedded = network.embed(weights, inputs);
  if (!kept) return embedded;
  if (!network.keep) throw new Error(`${architecture.name} needs the whole image`);
  return network.keep(embedded, kept);
}

/**
 * A whole network: inputs as `BlockwiseNetwork` says -> logits [batch, classes], of a language model
 * [batch, length, vocabulary].
 * @param head left out where the network has a head of its own
 * @param kept as `embedInputs` takes them
 */
export function runNetwork(
  architecture: Architecture,
  weights: NetworkWeights<tf.Tensor>,
  head: Linear<tf.Tensor> | undefined,
  inputs: tf.Tensor,
  kept?: tf.Tensor,
): tf.Tensor {
  const network = blockwise(architecture);
  let x = embedInputs(architecture, weights, inputs, kept);
  const context = network.contextOf?.(inputs);
  for (const block of architecture.blocks.keys()) {
    x = network.runBlock(weights, block, network.enterBlock(weights, block, x), context);
  }
  return network.forwardHead(weights, head, x);
}
