/** Cholesky factorisation and solution in float64, row-major, in place. */

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

/** Solves L Lᵀ X = B for the factor of `factorise`; `right` [size, columns] holds B before and X after. */
export function solveFactorised(factor: Float64Array, size: number, right: Float64Array, columns: number): void {
  for (let row = 0; row < size; row++) {
    for (let other = 0; other < row; other++) subtractRow(right, columns, row, other, factor[row * size + other]!);
    divideRow(right, columns, row, factor[row * size + row]!);
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let other = row + 1; other < size; other++)
      subtractRow(right, columns, row, other, factor[other * size + row]!);
    divideRow(right, columns, row, factor[row * size + row]!);
  }
}

/** The inner product of the first `count` entries of two rows. */
function rowProduct(matrix: Float64Array, size: number, a: number, b: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += matrix[a * size + k]! * matrix[b * size + k]!;
  return sum;
}

function subtractRow(matrix: Float64Array, columns: number, target: number, source: number, factor: number): void {
  for (let c = 0; c < columns; c++) matrix[target * columns + c]! -= factor * matrix[source * columns + c]!;
}

function divideRow(matrix: Float64Array, columns: number, row: number, divisor: number): void {
  for (let c = 0; c < columns; c++) matrix[row * columns + c]! /= divisor;
}
