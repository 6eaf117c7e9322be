/** A LLaMA network as the functions that stitching calls. */
import tf = require('@tensorflow/tfjs');

import type { Architecture } from '../architecture.js';
import type { BlockwiseNetwork } from '../family.js';
import { asLlama } from './architecture.js';
import * as llama from './llama.js';

type Weights = llama.LlamaWeights<tf.Tensor>;

export function llamaNetwork(architecture: Architecture): BlockwiseNetwork {
  const { variant: config } = asLlama(architecture);
  return {
    contextOf: (ids) => llama.contextOf(ids.shape[1]!, config, tf.greaterEqual(ids, tf.scalar(0, 'int32'))),
    // Padding gets the vector of token 0, which no token sees.
    embed: ({ embedding }: Weights, ids) => llama.embed(embedding, tf.maximum(ids, tf.scalar(0, 'int32'))),
    enterBlock: (_weights, _block, x) => x,
    runBlock: ({ blocks }: Weights, block, x, context: llama.TokenContext, adaptation) =>
      llama.runBlock(blocks[block]!, x, config, context, adaptation),
    forwardHead: (weights: Weights, _head, x) => llama.classify(weights, x, config),
  };
}
