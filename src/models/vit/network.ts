/** A vision transformer as the functions that stitching calls. */
import tf = require('@tensorflow/tfjs');

import type { Architecture } from '../architecture.js';
import type { BlockwiseNetwork } from '../family.js';
import type { Linear } from '../layers.js';
import { asViT } from './architecture.js';
import * as viT from './vision-transformer.js';

type Weights = viT.ViTWeights<tf.Tensor>;

export function viTNetwork(architecture: Architecture): BlockwiseNetwork {
  const { variant } = asViT(architecture);
  return {
    embed: ({ embedding }: Weights, images) => viT.embed(embedding, images, variant),
    keep: (x, kept) => tf.gather(x, kept as tf.Tensor1D, 1),
    enterBlock: (_weights, _block, x) => x,
    runBlock: ({ blocks }: Weights, block, x, _context, adaptation) =>
      viT.runBlock(blocks[block]!, x, variant, adaptation),
    forwardHead: ({ norm }: Weights, head: Linear<tf.Tensor>, x) => viT.forwardHead(norm, head, x),
  };
}
