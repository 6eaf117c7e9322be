/** Draws which inputs of low-rank updates a step drops (engine/ops/dropout.ts). */
import { type DropoutKeys, keyPrime } from '../../engine/ops/dropout.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import type { Random } from '../../shared/random.js';

/** @param rows tokens of a micro batch; @param columns most inputs of a layer */
export function drawKeys(random: Random, layers: number, rows: number, columns: number): DropoutKeys<Float32NdArray> {
  const draw = (count: number) => {
    const keys = new Float32Array(layers * 2 * count);
    // Factors are above 0: 0 would drop a row, or keep it, as a whole.
    for (let at = 0; at < keys.length; at++) {
      const isFactor = Math.floor(at / count) % 2 === 0;
      keys[at] = isFactor ? 1 + random.integer(keyPrime - 1) : random.integer(keyPrime);
    }
    return float32([layers, 2, count], keys);
  };
  return { rows: draw(rows), columns: draw(columns) };
}
