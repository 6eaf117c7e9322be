/** Gradients with respect to a whole tree of tensors. */
import tf = require('@tensorflow/tfjs');

import { isTensor } from '../engine/tensor.js';
import { leavesOf, mapTree } from '../shared/tree.js';

/** A loss and its gradients, a tree of the form of the parameters. */
export function gradientsOf<Tree>(
  parameters: Tree,
  loss: (parameters: Tree) => tf.Scalar,
): { readonly value: tf.Scalar; readonly gradients: Tree } {
  const leaves = leavesOf(parameters, isTensor);
  const treeOf = (tensors: readonly tf.Tensor[]) => {
    const byPath = new Map(leaves.map(({ path }, index) => [path, tensors[index]!]));
    const tree: unknown = mapTree(parameters, isTensor, (_, path) => byPath.get(path)!);
    return tree as Tree; // tensors in the places of tensors
  };
  const { value, grads } = tf.valueAndGrads((...tensors) => loss(treeOf(tensors)))(leaves.map(({ leaf }) => leaf));
  return { value, gradients: treeOf(grads) };
}
