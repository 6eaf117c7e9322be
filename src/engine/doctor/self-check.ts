/** A tiny compiled function with gradients, and what it must give: a proof that an engine computes, and computes right. */
import tf = require('@tensorflow/tfjs');

import { float32 } from '../../shared/arrays.js';
import type { Engine } from '../engine.js';

/** L = sum((X W)^2) and dL/dW = X^T 2 X W, worked out by hand for X = [1 2; 3 4], W = [1 0; 0 2]. */
const expected = { loss: [90], gradient: [20, 56, 28, 80] } as const;

/** The largest absolute difference from the numbers worked out by hand; NaN when a result is not a number. */
export async function selfCheck(engine: Engine): Promise<number> {
  const inputs = {
    x: engine.put(float32([2, 2], Float32Array.of(1, 2, 3, 4))),
    weight: engine.put(float32([2, 2], Float32Array.of(1, 0, 0, 2))),
  };
  const compiled = engine.compile('self-check', ({ x, weight }: { x: tf.Tensor; weight: tf.Tensor }) => {
    const { value, grad } = tf.valueAndGrad((w: tf.Tensor) => tf.matMul(x, w).square().sum() as tf.Scalar)(weight);
    return { loss: value, gradient: grad };
  });
  const results = await compiled(inputs);
  const differences = [
    ...difference(await engine.get(results.loss), expected.loss),
    ...difference(await engine.get(results.gradient), expected.gradient),
  ];
  engine.free(inputs);
  engine.free(results);
  return Math.max(...differences);
}

function difference({ data }: { readonly data: ArrayLike<number> }, wanted: readonly number[]): number[] {
  return wanted.map((number, index) => Math.abs(number - (data[index] ?? Number.NaN)));
}
