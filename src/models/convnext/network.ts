/** A ConvNeXt as the functions that stitching calls. */
import type * as tf from '@tensorflow/tfjs';
import type { BlockwiseNetwork } from '../family.js';
import type { Linear } from '../layers.js';
import * as convNeXt from './convnext.js';

type Weights = convNeXt.ConvNeXtWeights<tf.Tensor>;

export function convNeXtNetwork(): BlockwiseNetwork {
  return {
    embed: ({ embedding }: Weights, images) => convNeXt.embed(embedding, images),
    enterBlock: ({ blocks }: Weights, block, x, adaptation) => convNeXt.downsample(blocks[block]!, x, adaptation),
    runBlock: ({ blocks }: Weights, block, x, _context, adaptation) => convNeXt.runBlock(blocks[block]!, x, adaptation),
    forwardHead: ({ norm }: Weights, head: Linear<tf.Tensor>, x) => convNeXt.forwardHead(norm, head, x),
  };
}
