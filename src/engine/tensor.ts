/** Tells the leaves of a tree of tensors from its branches. */
import * as tf from '@tensorflow/tfjs-core';

export function isTensor(node: unknown): node is tf.Tensor {
  return node instanceof tf.Tensor;
}
