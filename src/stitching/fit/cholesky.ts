/** Cholesky factorisation in float64, row-major, in place, and the inverse of the factor. */

/**
 * Replaces the lower triangle of `matrix` [size, size] by L with L Lᵀ = matrix; only the lower triangle is read.
 *
 * @returns false when a pivot falls below `tolerance` times its diagonal entry: the matrix is not safely positive definite
 */
export function factorise(matrix: Float64Array, size: number, tolerance: number): boolean {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < row; column++) {
      const rest = matrix[row * size + column]! - rowProduct(matrix, size, row, column, column);
      matrix[row * size + column] = rest / matrix[column * size + column]!;
    }
    const diagonal = matrix[row * size + row]!;
    const pivot = diagonal - rowProduct(matrix, size, row, row, row);
    if (!(pivot > tolerance * diagonal)) return false;
    matrix[row * size + row] = Math.sqrt(pivot);
  }
  return true;
}

/**
 * The inverse of the factor of `factorise`, zeros above its diagonal: L⁻ᵀ (L⁻¹ B) solves L Lᵀ X = B with two matrix
 * products, which take most of the time where B has many columns, and which an engine does better than loops.
 */
export function inverseOfFactor(factor: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    inverse[row * size + row] = 1;
    for (let other = 0; other < row; other++) {
      const weight = factor[row * size + other]!;
      for (let c = 0; c <= other; c++) inverse[row * size + c]! -= weight * inverse[other * size + c]!;
    }
    for (let c = 0; c <= row; c++) inverse[row * size + c]! /= factor[row * size + row]!;
  }
  return inverse;
}

/** The inner product of the first `count` entries of two rows. */
function rowProduct(matrix: Float64Array, size: number, a: number, b: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += matrix[a * size + k]! * matrix[b * size + k]!;
  return sum;
}
