/** RMSNorm over the last axis (Zhang and Sennrich 2019): x / sqrt(mean(x^2) + epsilon), scaled; no mean, no offset. */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';
import { rowsOf } from './linear.js';

/**
 * @param x [..., width]
 * @param scale [width]
 * @param epsilon added to the mean square; 1e-6 in LLaMA 1, 1e-5 in Llama 2
 */
export function rmsNorm(x: tf.Tensor, scale: tf.Tensor, epsilon: number): tf.Tensor {
  return runFused('EstaRmsNorm', { x, scale }, { epsilon })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaRmsNorm',
  inputsToSave: ['x', 'scale'],
  outputsToSave: [false, true],
  gradFunc: (dy, saved) => {
    const [x, scale, inverseRms] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const upstream = (dy as tf.Tensor[])[0]!;
    return {
      x: () => runFused('EstaRmsNormGrad', { dy: upstream, x, scale, inverseRms })[0]!,
      scale: () => rowsOf(upstream.mul(x.mul(inverseRms))).sum(0),
    };
  },
});

export function decomposedRmsNorm(
  { x, scale }: Tensors<'x' | 'scale'>,
  { epsilon }: { readonly epsilon: number },
): tf.Tensor[] {
  const inverseRms = x.square().mean(-1, true).add(epsilon).rsqrt();
  return [x.mul(inverseRms).mul(scale), inverseRms];
}

/** dx = r (g - z mean(g z)), with r = 1 / rms, g = dy scale and z = r x. */
export function decomposedRmsNormGrad({
  dy,
  x,
  scale,
  inverseRms,
}: Tensors<'dy' | 'x' | 'scale' | 'inverseRms'>): tf.Tensor[] {
  const normalised = x.mul(inverseRms);
  const g = dy.mul(scale);
  return [g.sub(normalised.mul(g.mul(normalised).mean(-1, true))).mul(inverseRms)];
}
