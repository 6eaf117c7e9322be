/**
 * Frozen weights in 8 bits. A large matrix is kept as several, side by side: one of them at a time is made float32 where
 * many rows are multiplied, and stays below the size from which memory comes from the system page by page.
 */
import type * as tf from '@tensorflow/tfjs';
import { type Quantised, quantisedLinear, zeroCode } from '../engine/ops/quantised-linear.js';
import { type Float32NdArray, float32, type NdArray, uint8 } from '../shared/arrays.js';

/** A linear layer of 8 bits; the outputs of its parts stand one after the other. */
export interface QuantisedProjection<T> {
  readonly parts: readonly Quantised<T>[];
  /** Added to the outputs [out], in float32. */
  readonly bias?: T;
}

/** Elements of a part at most: 16 MiB in float32. */
const mostElements = 2 ** 22;

/** Distance of the largest code from that of 0. */
const range = 127;

/** Outputs of each part of a matrix but the last. */
export function outputsOfPart(inputs: number): number {
  return Math.max(1, Math.floor(mostElements / inputs));
}

/** @param weight [out, in], as published */
export function quantised({ shape, data }: Float32NdArray): QuantisedProjection<NdArray> {
  const [outputs, inputs] = shape as [number, number];
  const most = outputsOfPart(inputs);
  const parts: Quantised<NdArray>[] = [];
  for (let begin = 0; begin < outputs; begin += most) {
    const count = Math.min(most, outputs - begin);
    parts.push(quantisedPart(data.subarray(begin * inputs, (begin + count) * inputs), count, inputs));
  }
  return { parts };
}

function quantisedPart(rows: Float32Array, outputs: number, inputs: number): Quantised<NdArray> {
  const codes = new Uint8Array(rows.length);
  const scale = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const row = rows.subarray(output * inputs, (output + 1) * inputs);
    let largest = 0;
    for (let input = 0; input < inputs; input++) largest = Math.max(largest, Math.abs(row[input]!));
    scale[output] = largest / range;
    const factor = largest === 0 ? 0 : range / largest;
    for (let input = 0; input < inputs; input++) {
      codes[output * inputs + input] = zeroCode + Math.round(row[input]! * factor);
    }
  }
  return { codes: uint8([outputs, inputs], codes), scale: float32([outputs], scale) };
}

/** x [..., in] -> [..., out] */
export function quantisedProjection(x: tf.Tensor, { parts, bias }: QuantisedProjection<tf.Tensor>): tf.Tensor {
  const y = quantisedLinear(x, parts);
  return bias ? y.add(bias) : y;
}
