/**
 * The least-squares start of a stitching layer: weight and bias that carry the front anchor's features to the end anchor's,
 * min ||X W + b - Y|| over tokens of real images (SN-Net, section 3; ps_inv of ziplab/SN-Net, which takes a pseudo-inverse
 * of the features themselves in float32).
 *
 * Here features are only summed up, batch by batch, into the moments of the normal equations in float64; so the number of
 * images costs time but no memory. One block output X meets several targets Y: their moments are summed together, and their
 * fits share one factorisation. Since the solution is linear in Y, the average of fits that share X is the fit of
 * their average target: one fit is enough for them.
 */
import type { MatrixProduct } from '../../engine/onnx/float64/matrix-product.js';
import type { RowMoments, RowSums, TargetSums } from '../../engine/onnx/float64/row-moments.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import { factorise, inverseOfFactor } from './cholesky.js';

/** Sums over the rows of X and of its targets. */
export interface Moments {
  readonly rows: number;
  /** Width of X. */
  readonly from: number;
  readonly sums: RowSums;
}

export interface StitchingLayerFit {
  readonly from: number;
  readonly to: number;
  /** [from, to], row-major: y = x weight + bias */
  readonly weight: Float32Array;
  /** [to] */
  readonly bias: Float32Array;
  /**
   * ||X W + b - Y|| / ||Y - mean(Y)||, Frobenius norms, the mean over rows for each feature: 0 is a perfect fit, 1 is no
   * better than a constant. Computed from moments: below about 1e-7 it is rounding.
   */
  readonly relativeError: number;
  /** What was added to the diagonal of the centred Xᵀ X; 0 when it was well-conditioned. */
  readonly ridge: number;
}

/** A pivot below this part of its diagonal entry has lost 12 of 16 digits: the features are linearly dependent. */
const pivotTolerance = 1e-12;
/** First ridge as part of the mean of the diagonal (trace / width): far below the noise of float32 features. */
const firstRidge = 1e-10;

/** @param widths of the targets */
export function noRows(from: number, widths: readonly number[]): Moments {
  return {
    rows: 0,
    from,
    sums: {
      inputs: { sum: new Float64Array(from), gram: new Float64Array(from * from) },
      targets: widths.map((width) => ({
        sum: new Float64Array(width),
        cross: new Float64Array(from * width),
        squares: new Float64Array(1),
      })),
    },
  };
}

/**
 * @param inputs X [rows, width], row-major; [batch, tokens, width] works as it is
 * @param targets each Y as the arrays [rows, width] whose mean it is
 */
export async function withRows(
  engine: RowMoments,
  moments: Moments,
  inputs: Float32Array,
  targets: readonly (readonly Float32Array[])[],
): Promise<Moments> {
  const { from, sums } = moments;
  const x = rowsOf('inputs', inputs, from);
  const [rows] = x.shape as [number];
  const ys = targets.map((arrays, target) =>
    arrays.map((values) => {
      const y = rowsOf('targets', values, sums.targets[target]!.sum.length);
      if (y.shape[0] !== rows) throw new RangeError(`inputs have ${rows} rows, targets ${y.shape[0]}`);
      return y;
    }),
  );
  return { from, rows: moments.rows + rows, sums: await engine.add(sums, x, ys) };
}

/** The layer that fits all rows seen so far, for each target. */
export async function fitTargets(products: MatrixProduct, moments: Moments): Promise<StitchingLayerFit[]> {
  const { rows, from, sums } = moments;
  if (rows === 0) throw new RangeError('features for the least-squares start have no rows');
  const { inverse, ridge } = inverseFactorOf(centredGram(moments), from);
  const fits: StitchingLayerFit[] = [];
  for (const target of sums.targets) {
    const cross = centredCross(moments, target);
    const weight = inverse // constant features carry nothing: the bias alone is the fit
      ? await products.multiply(inverse, await products.multiply(inverse, cross, from), from, true)
      : new Float64Array(cross.length);
    fits.push(fitOf(moments, target, cross, weight, ridge));
  }
  return fits;
}

/** @param cross, weight [from, to] in float64: the centred moments, and their solution */
function fitOf(
  { rows, from, sums: { inputs } }: Moments,
  target: TargetSums,
  cross: Float64Array,
  weight: Float64Array,
  ridge: number,
): StitchingLayerFit {
  const to = target.sum.length;
  const bias = new Float32Array(to);
  let variation = target.squares[0]!;
  let explained = 0;
  for (let c = 0; c < to; c++) {
    const mean = target.sum[c]! / rows;
    let carried = 0;
    for (let i = 0; i < from; i++) carried += (inputs.sum[i]! / rows) * weight[i * to + c]!;
    bias[c] = mean - carried;
    variation -= rows * mean * mean;
  }
  // ||XW - Y||^2 = ||Y||^2 - <W, X'Y> - ridge ||W||^2, all centred, because (X'X + ridge) W = X'Y.
  for (let i = 0; i < weight.length; i++) explained += weight[i]! * (cross[i]! + ridge * weight[i]!);
  const relativeError = variation > 0 ? Math.sqrt(Math.max(0, variation - explained) / variation) : 0;
  return { from, to, weight: new Float32Array(weight), bias, relativeError, ridge };
}

/** A fit to the mean of the targets of so many pairs of blocks. */
export interface FitOfPairs extends Pick<StitchingLayerFit, 'weight' | 'bias' | 'relativeError'> {
  readonly pairs: number;
}

/** The mean over all pairs of blocks: the start of a layer that they share (SN-Net averages them too). */
export function averageLayers(fits: readonly FitOfPairs[]): Omit<FitOfPairs, 'pairs'> {
  const pairs = fits.reduce((sum, fit) => sum + fit.pairs, 0);
  if (pairs === 0) throw new RangeError('an average needs at least one fit');
  const shares = fits.map((fit) => fit.pairs / pairs);
  const mean = (part: 'weight' | 'bias') =>
    weightedSum(
      fits.map((fit) => fit[part]),
      shares,
    );
  return {
    weight: mean('weight'),
    bias: mean('bias'),
    relativeError: fits.reduce((sum, { relativeError }, index) => sum + shares[index]! * relativeError, 0),
  };
}

/** About the mean, which eliminates the bias: the lower triangle of Xᵀ X - n mean meanᵀ. */
function centredGram({ rows, from, sums: { inputs } }: Moments): Float64Array {
  const gram = new Float64Array(from * from);
  for (let i = 0; i < from; i++) {
    for (let j = 0; j <= i; j++) {
      gram[i * from + j] = inputs.gram[i * from + j]! - (inputs.sum[i]! * inputs.sum[j]!) / rows;
    }
  }
  return gram;
}

/** All of Xᵀ Y likewise. */
function centredCross({ rows, from, sums: { inputs } }: Moments, target: TargetSums): Float64Array {
  const to = target.sum.length;
  const cross = target.cross.slice();
  for (let i = 0; i < from; i++) {
    const mean = inputs.sum[i]! / rows;
    for (let c = 0; c < to; c++) cross[i * to + c]! -= mean * target.sum[c]!;
  }
  return cross;
}

/**
 * L⁻¹ of gram + ridge = L Lᵀ with the smallest ridge of 0, 1e-10, 1e-9, ... that is safe; no inverse where the features
 * are constant.
 */
function inverseFactorOf(gram: Float64Array, size: number): { inverse: Float64Array | undefined; ridge: number } {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i]!;
  if (!Number.isFinite(trace)) throw new RangeError('features for the least-squares start are not finite');
  if (trace <= 0) return { inverse: undefined, ridge: 0 };
  for (let ridge = 0; ; ridge = ridge === 0 ? (firstRidge * trace) / size : 10 * ridge) {
    const factor = gram.slice();
    for (let i = 0; i < size; i++) factor[i * size + i]! += ridge;
    if (factorise(factor, size, pivotTolerance)) return { inverse: inverseOfFactor(factor, size), ridge };
  }
}

/** Entry by entry, each rounded once. */
function weightedSum(arrays: readonly Float32Array[], shares: readonly number[]): Float32Array {
  const sum = new Float64Array(arrays[0]!.length);
  for (const [index, array] of arrays.entries()) {
    for (let at = 0; at < sum.length; at++) sum[at]! += shares[index]! * array[at]!;
  }
  return new Float32Array(sum);
}

function rowsOf(what: string, values: Float32Array, width: number): Float32NdArray {
  if (values.length % width !== 0) throw new RangeError(`${what}: ${values.length} values are not rows of ${width}`);
  return float32([values.length / width, width], values);
}
