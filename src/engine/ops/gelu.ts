/** GELU in its exact form x Phi(x) (Hendrycks and Gimpel 2016), Phi the normal distribution function by way of erf. */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';

export function gelu(x: tf.Tensor): tf.Tensor {
  return runFused('EstaGelu', { x })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaGelu',
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({ x: () => runFused('EstaGeluGrad', { dy: dy as tf.Tensor, x: x! })[0]! }),
});

const phi = (x: tf.Tensor) => x.mul(Math.SQRT1_2).erf().mul(0.5).add(0.5);

export function decomposedGelu({ x }: Tensors<'x'>): tf.Tensor[] {
  return [x.mul(phi(x))];
}

/** dx = dy (Phi(x) + x phi(x)), phi the normal density. */
export function decomposedGeluGrad({ dy, x }: Tensors<'dy' | 'x'>): tf.Tensor[] {
  const density = x
    .square()
    .mul(-0.5)
    .exp()
    .mul(1 / Math.sqrt(2 * Math.PI));
  return [dy.mul(phi(x).add(x.mul(density)))];
}
