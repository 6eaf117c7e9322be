/** PatchDropout (Liu et al. 2023): a training step sees a random part of the patches, the last fifth of the epochs all. */
import { type Int32NdArray, int32 } from '../shared/arrays.js';
import type { Random } from '../shared/random.js';

/** Whether patches are dropped in an epoch, counted from 0. */
export function dropsPatches(rate: number, epoch: number, epochs: number): boolean {
  return rate > 0 && epoch < Math.floor(0.8 * epochs);
}

/**
 * The tokens that stay, in their order: int32 [1 + kept patches], the class token 0 first.
 * @param patches of the whole image
 * @param rate share of the patches that is dropped, from 0 to 1
 */
export function keptTokens(patches: number, rate: number, random: Random): Int32NdArray {
  const numbers = random.shuffled(Array.from({ length: patches }, (_, index) => index + 1));
  const kept = [0, ...numbers.slice(Math.round(patches * rate)).sort((a, b) => a - b)];
  return int32([kept.length], Int32Array.from(kept));
}
