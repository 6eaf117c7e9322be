/**
 * y = x W^T with a frozen W of 8 bits, [out, in] as published: a row of it is (codes - 128) scale, with one scale for each
 * output (the symmetric row-wise quantisation of LLM.int8, Dettmers et al. 2022). Only x gets a gradient. A large W is kept
 * as several matrices, whose outputs stand one after the other.
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
 * @returns [..., out of all parts]
 */
export function quantisedLinear(x: tf.Tensor, parts: readonly Quantised<tf.Tensor>[]): tf.Tensor {
  return runListed('EstaQuantisedLinear', listed(x, parts));
}

type Listed = readonly tf.Tensor[];

/** As the kernels take them: x or dy, then codes and scale of each part. */
function listed(x: tf.Tensor, parts: readonly Quantised<tf.Tensor>[]): Listed {
  return [x, ...parts.flatMap(({ codes, scale }) => [codes, scale])];
}

function runListed(kernel: 'EstaQuantisedLinear' | 'EstaQuantisedLinearGrad', inputs: Listed): tf.Tensor {
  return runFused(kernel, inputs as never)[0]!; // TensorFlow.js takes a list where it takes names
}

tf.registerGradient({
  kernelName: 'EstaQuantisedLinear',
  saveAllInputs: true,
  gradFunc: (dy, [, ...matrices]) => ({
    0: () => runListed('EstaQuantisedLinearGrad', [dy as tf.Tensor, ...matrices]),
  }),
});

/** The inputs of a kernel by part. */
export function partsOf<T>([x, ...matrices]: readonly T[]): { readonly x: T; readonly parts: readonly Quantised<T>[] } {
  const parts = Array.from({ length: matrices.length / 2 }, (_, part) => ({
    codes: matrices[2 * part]!,
    scale: matrices[2 * part + 1]!,
  }));
  return { x: x!, parts };
}

const dequantised = ({ codes, scale }: Quantised<tf.Tensor>) =>
  codes
    .cast('float32')
    .sub(zeroCode)
    .mul<tf.Tensor2D>(scale.reshape([-1, 1]));

const whole = (parts: readonly Quantised<tf.Tensor>[]) => tf.concat(parts.map(dequantised), 0);

export function decomposedQuantisedLinear(inputs: Readonly<Record<string, tf.Tensor>>): tf.Tensor[] {
  const { x, parts } = partsOf(Object.values(inputs));
  const product = tf.matMul(rowsOf(x), whole(parts), false, true);
  return [product.reshape([...x.shape.slice(0, -1), product.shape[1]!])];
}

/** dx = dy W */
export function decomposedQuantisedLinearGrad(inputs: Readonly<Record<string, tf.Tensor>>): tf.Tensor[] {
  const { x: dy, parts } = partsOf(Object.values(inputs));
  const product = tf.matMul(rowsOf(dy), whole(parts));
  return [product.reshape([...dy.shape.slice(0, -1), product.shape[1]!])];
}
