/** SwiGLU (Shazeer 2020): silu(gate) up, with silu(x) = x sigmoid(x). The backward pass keeps the two inputs only. */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';

/** @param gate, up of one shape, which is that of the result */
export function swiGlu(gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  return runFused('EstaSwiGlu', { gate, up })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaSwiGlu',
  inputsToSave: ['gate', 'up'],
  gradFunc: (dy, [gate, up]) => {
    const gradients = runFused('EstaSwiGluGrad', { dy: dy as tf.Tensor, gate: gate!, up: up! });
    return { gate: () => gradients[0]!, up: () => gradients[1]! };
  },
});

export function decomposedSwiGlu({ gate, up }: Tensors<'gate' | 'up'>): tf.Tensor[] {
  return [gate.mul(gate.sigmoid()).mul(up)];
}

/** dgate = dy up s (1 + gate (1 - s)) and dup = dy gate s, with s = sigmoid(gate). */
export function decomposedSwiGluGrad({ dy, gate, up }: Tensors<'dy' | 'gate' | 'up'>): tf.Tensor[] {
  const s = gate.sigmoid();
  const silu = gate.mul(s);
  return [dy.mul(up).mul(s.add(silu.mul(tf.sub(1, s)))), dy.mul(silu)];
}
