/** Low-rank updates as arrays, and how they become part of a weight. */
import { type Float32NdArray, float32 } from '../shared/arrays.js';

/** A B of a low-rank update (Hu et al. 2022): A projects down to the rank, B up from it. */
export interface LowRank<T> {
  /** A [from, rank]; of a stack [layers, from, rank]. */
  readonly down: T;
  /** B [rank, to]; of a stack [layers, rank, to]. */
  readonly up: T;
}

/**
 * W + s A B, row by row in float64.
 * @param weight [from, to]
 */
export function mergedWeight(
  { shape, data }: Float32NdArray,
  { down, up }: LowRank<Float32NdArray>,
  scale = 1,
): Float32NdArray {
  const [rank, to] = up.shape as [number, number];
  const from = data.length / to;
  const result = new Float32Array(data.length);
  const row = new Float64Array(to);
  for (let i = 0; i < from; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = scale * down.data[i * rank + k]!;
      for (let j = 0; j < to; j++) row[j]! += factor * up.data[k * to + j]!;
    }
    for (let j = 0; j < to; j++) result[i * to + j] = data[i * to + j]! + row[j]!;
  }
  return float32(shape, result);
}
