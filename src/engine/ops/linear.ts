/** y = x W + b as one kernel, with weights in [in, out] layout. Gradients are computed only for what needs them. */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';

/**
 * @param x [..., in]
 * @param weight [in, out]
 * @param bias [out]
 * @returns [..., out]
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  return runFused('EstaLinear', bias ? { x, weight, bias } : { x, weight })[0]!;
}

/** x W^T: what the gradient of `linear` needs. */
function linearTransposed(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  return runFused('EstaLinear', { x, weight }, { transpose: true })[0]!;
}

/** All rows of [..., width] as a matrix. */
export function rowsOf(x: tf.Tensor): tf.Tensor2D {
  return x.reshape([-1, x.shape.at(-1)!]);
}

tf.registerGradient({
  kernelName: 'EstaLinear',
  inputsToSave: ['x', 'weight'],
  gradFunc: (dy, [x, weight]) => {
    const upstream = dy as tf.Tensor;
    return {
      x: () => linearTransposed(upstream, weight!),
      weight: () => tf.matMul(rowsOf(x!), rowsOf(upstream), true, false),
      bias: () => rowsOf(upstream).sum(0),
    };
  },
});

export function decomposedLinear(
  { x, weight, bias }: Tensors<'x' | 'weight'> & Partial<Tensors<'bias'>>,
  { transpose = false }: { readonly transpose?: boolean },
): tf.Tensor[] {
  const product = tf.matMul<tf.Tensor2D>(rowsOf(x), weight, false, transpose);
  return [(bias ? product.add(bias) : product).reshape([...x.shape.slice(0, -1), product.shape[1]!])];
}
