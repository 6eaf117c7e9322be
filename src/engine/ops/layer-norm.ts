/** LayerNorm over the last axis (Ba et al. 2016), biased variance, as timm and PyTorch compute it. */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';
import { rowsOf } from './linear.js';

/**
 * @param x [..., width]
 * @param scale [width]
 * @param offset [width]
 * @param epsilon added to the variance; 1e-6 in timm's ViT and ConvNeXt
 */
export function layerNorm(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: number): tf.Tensor {
  return runFused('EstaLayerNorm', { x, scale, offset }, { epsilon })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaLayerNorm',
  inputsToSave: ['x', 'scale'],
  outputsToSave: [false, true, true],
  gradFunc: (dy, saved) => {
    const [x, scale, mean, inverseDeviation] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const upstream = (dy as tf.Tensor[])[0]!;
    return {
      x: () => runFused('EstaLayerNormGrad', { dy: upstream, x, scale, mean, inverseDeviation })[0]!,
      scale: () => rowsOf(upstream.mul(x.sub(mean).mul(inverseDeviation))).sum(0),
      offset: () => rowsOf(upstream).sum(0),
    };
  },
});

export function decomposedLayerNorm(
  { x, scale, offset }: Tensors<'x' | 'scale' | 'offset'>,
  { epsilon }: { readonly epsilon: number },
): tf.Tensor[] {
  const mean = x.mean(-1, true);
  const centred = x.sub(mean);
  const inverseDeviation = centred.square().mean(-1, true).add(epsilon).rsqrt();
  return [centred.mul(inverseDeviation).mul(scale).add(offset), mean, inverseDeviation];
}

/** dx = (g - mean(g) - z mean(g z)) / deviation, with g = dy scale and z the normalised x. */
export function decomposedLayerNormGrad({
  dy,
  x,
  scale,
  mean,
  inverseDeviation,
}: Tensors<'dy' | 'x' | 'scale' | 'mean' | 'inverseDeviation'>): tf.Tensor[] {
  const normalised = x.sub(mean).mul(inverseDeviation);
  const g = dy.mul(scale);
  const along = g.mul(normalised).mean(-1, true);
  return [g.sub(g.mean(-1, true)).sub(normalised.mul(along)).mul(inverseDeviation)];
}
