/**
 * y = x W^T with a frozen W of 8 bits, [out, in] as published: a row of it is (codes - 128) scale, with one scale for each
 * output (the symmetric row-wise quantisation of LLM.int8, Dettmers et al. 2022). Only x gets a gradient.
 */
import tf = require('@tensorflow/tfjs');

import { runFused } from './fused-kernel.js';
import { rowsOf } from './linear.js';

/** The code of 0. Codes are unsigned, because signed ones can overflow in the products of processors without VNNI. */
export const zeroCode = 128;

/** A matrix of 8 bits. */
export interface Quantised<T> {
  /** uint8 [out, in] */
  readonly codes: T;
  /** float32 [out] */
  readonly scale: T;
}

/**
 * W is made float32 for the product. Where tokens are generated on the CPU, another graph multiplies whole numbers
 * (src/models/llama/generation-graph.ts).
 *
 * @param x [..., in]
 * @returns [..., out]
 */
export function quantisedLinear(x: tf.Tensor, { codes, scale }: Quantised<tf.Tensor>): tf.Tensor {
  return runFused('EstaQuantisedLinear', { x, codes, scale })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaQuantisedLinear',
  inputsToSave: ['codes', 'scale'],
  gradFunc: (dy, [codes, scale]) => ({
    x: () => runFused('EstaQuantisedLinearGrad', { dy: dy as tf.Tensor, codes: codes!, scale: scale! })[0]!,
  }),
});

interface Matrix {
  readonly codes: tf.Tensor2D;
  readonly scale: tf.Tensor;
}

const dequantised = ({ codes, scale }: Matrix) =>
  codes
    .cast('float32')
    .sub(zeroCode)
    .mul<tf.Tensor2D>(scale.reshape([-1, 1]));

export function decomposedQuantisedLinear({ x, ...matrix }: Matrix & { readonly x: tf.Tensor }): tf.Tensor[] {
  const product = tf.matMul(rowsOf(x), dequantised(matrix), false, true);
  return [product.reshape([...x.shape.slice(0, -1), product.shape[1]!])];
}

/** dx = dy W */
export function decomposedQuantisedLinearGrad({ dy, ...matrix }: Matrix & { readonly dy: tf.Tensor }): tf.Tensor[] {
  const product = tf.matMul(rowsOf(dy), dequantised(matrix));
  return [product.reshape([...dy.shape.slice(0, -1), product.shape[1]!])];
}
