/**
 * y = x W + b + s x A B: a frozen linear layer with a low-rank update (LoRA, Hu et al. 2022, equation 3).
 *
 * W + s A B is merged once per call and serves the forward product and the gradient of x; A and B get their gradients by
 * way of rank-wide products, or of the gradient of a weight that is hardly wider than the rank.
 */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';
import { linear, rowsOf } from './linear.js';

export interface LowRankUpdate {
  /** A [in, rank] */
  readonly down: tf.Tensor;
  /** B [rank, out], zero at the start */
  readonly up: tf.Tensor;
}

/**
 * @param x [..., in]
 * @param weight [in, out], frozen: it gets no gradient
 * @param bias [out], where the layer has one
 * @param scale s, alpha / rank; default 1
 * @returns [..., out]
 */
export function lowRankLinear(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor | undefined,
  update: LowRankUpdate,
  scale = 1,
): tf.Tensor {
  const { down, up } = update;
  return runFused('EstaLowRankLinear', { x, weight, down, up, ...(bias && { bias }) }, { scale })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaLowRankLinear',
  inputsToSave: ['x', 'down', 'up'],
  outputsToSave: [false, true],
  gradFunc: (dy, saved, attributes) => {
    const [x, down, up, merged] = saved as [tf.Tensor, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const upstream = (dy as tf.Tensor[])[0]!;
    const scale = Number((attributes as Record<string, unknown>)['scale']);
    const scaled = (gradient: tf.Tensor) => (scale === 1 ? gradient : gradient.mul(scale));
    const [rows, upstreamRows] = [rowsOf(x), rowsOf(upstream)];
    const others = {
      x: () => runFused('EstaLinear', { x: upstream, weight: merged }, { transpose: true })[0]!,
      bias: () => upstreamRows.sum(0),
    };
    if (isNarrow(merged, down)) {
      const ofWeight = () => tf.matMul(rows, upstreamRows, true, false); // the onnxruntime engine makes equal products once
      return {
        ...others,
        down: () => scaled(tf.matMul(ofWeight(), up, false, true)),
        up: () => scaled(tf.matMul(down, ofWeight(), true, false)),
      };
    }
    return {
      ...others,
      // Turned at the end: the operand of a product that is turned is copied, and this one is narrow.
      down: () => scaled(tf.matMul(tf.matMul(upstreamRows, up, false, true), rows, true, false).transpose()),
      up: () => scaled(tf.matMul(rowsOf(linear(x, down)), upstreamRows, true, false)),
    };
  },
});

/**
 * Whether the gradient x^T dy of the whole weight is cheaper than products over all rows for each of A and B: these take
 * 2 rank (in + out) multiplications a row instead of in x out, but reach less than half of the rate.
 */
function isNarrow({ shape: [from, to] }: tf.Tensor2D, { shape: [, rank] }: tf.Tensor2D): boolean {
  return from * to <= 2 * rank * (from + to);
}

export function decomposedLowRankLinear(
  { x, weight, bias, down, up }: Tensors<'x' | 'weight' | 'down' | 'up'> & Partial<Tensors<'bias'>>,
  { scale }: { readonly scale: number },
): tf.Tensor[] {
  const merged = weight.add(tf.matMul(down, up).mul(scale)) as tf.Tensor2D;
  const product = tf.matMul(rowsOf(x), merged);
  return [(bias ? product.add(bias) : product).reshape([...x.shape.slice(0, -1), merged.shape[1]!]), merged];
}
