/**
 * The least-squares start of a stitching layer: weight and bias that carry the front anchor's features to the end anchor's,
 * min ||X W + b - Y|| over tokens of real images (SN-Net, section 3; ps_inv of ziplab/SN-Net, which takes a pseudo-inverse
 * of the features themselves in float32).
 *
 * Here features are only summed up, batch by batch, into the moments of the normal equations in float64; so the number of
 * images costs time but no memory. Moments of the input are kept apart from those with a target, because the same block
 * output X meets several targets Y. Since the solution is linear in Y, the average of fits that share X is the fit of
 * their average target: one fit is enough for them.
 */
import type { CrossProducts } from '../../engine/onnx/cross-products.js';
import { float32 } from '../../shared/arrays.js';
import { factorise, solveFactorised } from './cholesky.js';

/** Sums over rows of X [rows, width]; changed in place by `addInputs`. */
export interface InputMoments {
  readonly width: number;
  rows: number;
  /** [width] */
  readonly sum: Float64Array;
  /** Xᵀ X [width, width] */
  gram: Float64Array;
}

/** Sums over rows of Y [rows, width] with X [rows, from]; changed in place by `addTargets`. */
export interface TargetMoments {
  readonly from: number;
  readonly width: number;
  rows: number;
  /** [width] */
  readonly sum: Float64Array;
  /** Xᵀ Y [from, width] */
  cross: Float64Array;
  /** Sum of the squares of all entries of Y. */
  squares: number;
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

export function inputMoments(width: number): InputMoments {
  return { width, rows: 0, sum: new Float64Array(width), gram: new Float64Array(width * width) };
}

export function targetMoments(from: number, width: number): TargetMoments {
  return { from, width, rows: 0, sum: new Float64Array(width), cross: new Float64Array(from * width), squares: 0 };
}

/** @param inputs X [rows, width], row-major; [batch, tokens, width] works as it is */
export async function addInputs(products: CrossProducts, moments: InputMoments, inputs: Float32Array): Promise<void> {
  const { width } = moments;
  const rows = rowCount('inputs', inputs, width);
  const x = float32([rows, width], inputs);
  moments.gram = await products.add(moments.gram, x, x);
  addColumnSums(moments.sum, inputs);
  moments.rows += rows;
}

/**
 * @param inputs X [rows, from], the rows given to `addInputs`
 * @param targets Y [rows, width], same rows
 */
export async function addTargets(
  products: CrossProducts,
  moments: TargetMoments,
  inputs: Float32Array,
  targets: Float32Array,
): Promise<void> {
  const { from, width } = moments;
  const rows = rowCount('targets', targets, width);
  if (rowCount('inputs', inputs, from) !== rows) {
    throw new RangeError(`inputs have ${inputs.length / from} rows, targets ${rows}`);
  }
  moments.cross = await products.add(moments.cross, float32([rows, from], inputs), float32([rows, width], targets));
  addColumnSums(moments.sum, targets);
  for (const value of targets) moments.squares += value * value;
  moments.rows += rows;
}

/** The layer that fits all rows seen so far. */
export function fitStitchingLayer(inputs: InputMoments, targets: TargetMoments): StitchingLayerFit {
  const { width: from, rows } = inputs;
  const { width: to } = targets;
  if (from !== targets.from || rows !== targets.rows || rows === 0) {
    throw new RangeError(
      `inputs: ${rows} rows of width ${from}; targets were summed with ${targets.rows} rows of width ${targets.from}`,
    );
  }
  const { gram, cross } = centred(inputs, targets);
  const solution = Float64Array.from(cross);
  const ridge = solveRegularised(gram, from, solution, to);

  const bias = new Float32Array(to);
  let variation = targets.squares;
  let explained = 0;
  for (let c = 0; c < to; c++) {
    const mean = targets.sum[c]! / rows;
    let carried = 0;
    for (let i = 0; i < from; i++) carried += (inputs.sum[i]! / rows) * solution[i * to + c]!;
    bias[c] = mean - carried;
    variation -= rows * mean * mean;
  }
  // ||XW - Y||^2 = ||Y||^2 - <W, X'Y> - ridge ||W||^2, all centred, because (X'X + ridge) W = X'Y.
  for (let i = 0; i < solution.length; i++) explained += solution[i]! * (cross[i]! + ridge * solution[i]!);
  const relativeError = variation > 0 ? Math.sqrt(Math.max(0, variation - explained) / variation) : 0;
  return { from, to, weight: Float32Array.from(solution), bias, relativeError, ridge };
}

/** The mean of several fits: the start of a layer that several pairs of blocks share (SN-Net averages them too). */
export function averageLayers(
  fits: readonly Pick<StitchingLayerFit, 'weight' | 'bias'>[],
): Pick<StitchingLayerFit, 'weight' | 'bias'> {
  return { weight: meanOf(fits.map(({ weight }) => weight)), bias: meanOf(fits.map(({ bias }) => bias)) };
}

/** Moments about the mean, which eliminates the bias: lower triangle of Xᵀ X - n mean meanᵀ, and all of Xᵀ Y likewise. */
function centred(inputs: InputMoments, targets: TargetMoments): { gram: Float64Array; cross: Float64Array } {
  const { width: from, rows, sum } = inputs;
  const gram = new Float64Array(from * from);
  for (let i = 0; i < from; i++) {
    for (let j = 0; j <= i; j++) gram[i * from + j] = inputs.gram[i * from + j]! - (sum[i]! * sum[j]!) / rows;
  }
  const to = targets.width;
  const cross = targets.cross.map((value, k) => value - (sum[Math.floor(k / to)]! * targets.sum[k % to]!) / rows);
  return { gram, cross };
}

/** Solves (gram + ridge) X = right in place with the smallest ridge of 0, 1e-10, 1e-9, ... that is safe; returns it. */
function solveRegularised(gram: Float64Array, size: number, right: Float64Array, columns: number): number {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i]!;
  if (!Number.isFinite(trace)) throw new RangeError('features for the least-squares start are not finite');
  if (trace <= 0) {
    right.fill(0); // constant features carry nothing: the bias alone is the fit
    return 0;
  }
  for (let ridge = 0; ; ridge = ridge === 0 ? (firstRidge * trace) / size : 10 * ridge) {
    const factor = Float64Array.from(gram);
    for (let i = 0; i < size; i++) factor[i * size + i]! += ridge;
    if (!factorise(factor, size, pivotTolerance)) continue;
    solveFactorised(factor, size, right, columns);
    return ridge;
  }
}

function addColumnSums(sum: Float64Array, rows: Float32Array): void {
  const width = sum.length;
  for (let start = 0; start < rows.length; start += width) {
    for (let column = 0; column < width; column++) sum[column]! += rows[start + column]!;
  }
}

/** Entry by entry, each rounded once. */
export function meanOf(arrays: readonly Float32Array[]): Float32Array {
  const [first, ...others] = arrays;
  if (first === undefined) throw new RangeError('an average needs at least one fit');
  const sum = Float64Array.from(first);
  for (const array of others) for (let at = 0; at < sum.length; at++) sum[at]! += array[at]!;
  const mean = new Float32Array(sum.length);
  for (let at = 0; at < sum.length; at++) mean[at] = sum[at]! / arrays.length;
  return mean;
}

function rowCount(what: string, values: Float32Array, width: number): number {
  if (values.length % width !== 0) throw new RangeError(`${what}: ${values.length} values are not rows of ${width}`);
  return values.length / width;
}
