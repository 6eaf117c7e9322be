/**
 * Resampling of learned position embeddings to another grid, as timm's resample_abs_pos_embed (timm/layers/pos_embed.py)
 * does with torch's interpolate: bicubic with antialias for state dicts, bilinear without for Google's archives. The
 * class token keeps its position.
 */
import { type Float32NdArray, float32 } from '../../shared/arrays.js';

export type Resampling = 'bicubic' | 'bilinear';

/** Share of each of `from` samples in each of `to` samples, a list of [index, share] per new sample. */
type Shares = readonly (readonly (readonly [index: number, share: number])[])[];

/**
 * @param embedding [1, 1 + from * from, width], first the class token
 * @returns [1, 1 + to * to, width]
 */
export function resamplePositions(
  embedding: Float32NdArray,
  from: number,
  to: number,
  resampling: Resampling,
): Float32NdArray {
  const width = embedding.shape[2]!;
  const shares = resampling === 'bicubic' ? cubicShares(from, to) : linearShares(from, to);
  const result = new Float32Array((1 + to * to) * width);
  result.set(embedding.data.subarray(0, width));
  const sum = new Float64Array(width);
  for (let row = 0; row < to; row++) {
    for (let column = 0; column < to; column++) {
      sum.fill(0);
      for (const [oldRow, rowShare] of shares[row]!) {
        for (const [oldColumn, columnShare] of shares[column]!) {
          const at = (1 + oldRow * from + oldColumn) * width;
          for (let index = 0; index < width; index++) {
            sum[index]! += rowShare * columnShare * embedding.data[at + index]!;
          }
        }
      }
      result.set(sum, (1 + row * to + column) * width);
    }
  }
  return float32([1, 1 + to * to, width], result);
}

/** Two neighbours per sample, whatever the scale; the borders repeat. */
function linearShares(from: number, to: number): Shares {
  return Array.from({ length: to }, (_, index) => {
    const position = Math.max(0, (from / to) * (index + 0.5) - 0.5);
    const left = Math.floor(position);
    const right = Math.min(left + 1, from - 1);
    return [
      [left, 1 - (position - left)],
      [right, position - left],
    ];
  });
}

/** A cubic kernel, widened by the scale when the grid shrinks, cut at the borders and normalised. */
function cubicShares(from: number, to: number): Shares {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, index) => {
    const centre = scale * (index + 0.5);
    const first = Math.max(0, Math.trunc(centre - 2 * stretch + 0.5));
    const end = Math.min(from, Math.trunc(centre + 2 * stretch + 0.5));
    const weights = Array.from({ length: end - first }, (_, offset) =>
      cubic((first + offset - centre + 0.5) / stretch),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, offset) => [first + offset, weight / total] as const);
  });
}

/** Keys' kernel with a = -0.5, which torch (and Pillow) take when they antialias. */
function cubic(offset: number): number {
  const x = Math.abs(offset);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
