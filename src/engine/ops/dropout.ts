/**
 * Dropout (Srivastava et al. 2014) that is the same on every device and in every resumed run: which numbers are kept follows
 * from a few keys that the host draws. With r, r' for each row and c, c' for each column, number (i, j) hashes to
 * r[i] c[j] + r'[i] + c'[j] modulo a prime (universal hashing, Carter and Wegman 1979), uniform and independent in pairs.
 * The prime is so small that float32 holds all of it exactly.
 */
import tf = require('@tensorflow/tfjs');

/** The largest one whose products and sums of keys stay below 2^24. */
export const keyPrime = 4093;

/** Keys of several layers, float32: whole numbers below `keyPrime`, those that are factors above 0. */
export interface DropoutKeys<T> {
  /** [layers, 2, rows] */
  readonly rows: T;
  /** [layers, 2, columns]: at least as many as a layer has inputs */
  readonly columns: T;
}

/** Of one layer: keys [2, rows] and [2, columns]. */
export interface LayerDropout extends DropoutKeys<tf.Tensor> {
  /** Share of the numbers that become 0, at least 0 and below 1; the others grow, so that sums stay. */
  readonly rate: number;
}

/** x [..., columns] -> the same shape */
export function dropped(x: tf.Tensor, { rate, rows, columns }: LayerDropout): tf.Tensor {
  const width = x.shape.at(-1)!;
  const [factor, shift] = tf.split(rows, 2) as [tf.Tensor, tf.Tensor];
  const [times, plus] = tf.split(columns.slice([0, 0], [2, width]), 2) as [tf.Tensor, tf.Tensor];
  const sum = factor
    .reshape([-1, 1])
    .mul(times)
    .add(shift.reshape([-1, 1]))
    .add(plus);
  const hash = sum.sub(sum.div(keyPrime).floor().mul(keyPrime));
  const lost = Math.min(Math.round(rate * keyPrime), keyPrime - 1); // of a rate below 1 something is kept
  const kept = tf.greaterEqual(hash, lost).cast('float32');
  return x.mul(kept.mul(keyPrime / (keyPrime - lost)).reshape(x.shape));
}
