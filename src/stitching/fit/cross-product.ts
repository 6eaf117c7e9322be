/**
 * sum += leftᵀ right in float64 from float32 rows: the one heavy product of the least-squares start, which runs on the
 * JavaScript thread because no engine multiplies in float64. Panels of rows are packed into strips of four columns, so
 * that the inner loop reads memory in order and keeps sixteen sums in registers.
 */

/** Rows of one panel: enough to spread the cost of a block over, few enough for two panels to stay in the cache. */
const panelRows = 128;
const strip = 4;

/**
 * @param left [rows, leftWidth], row-major
 * @param right [rows, rightWidth], row-major
 * @param sum [leftWidth, rightWidth], added to in place
 * @param upperOnly leave out blocks below the diagonal, for right = left; default false
 */
export function addCrossProduct(
  sum: Float64Array,
  left: Float32Array,
  leftWidth: number,
  right: Float32Array,
  rightWidth: number,
  upperOnly = false,
): void {
  const rows = left.length / leftWidth;
  const leftPanel = new Float64Array(panelRows * Math.ceil(leftWidth / strip) * strip);
  const rightPanel = new Float64Array(panelRows * Math.ceil(rightWidth / strip) * strip);
  const block = new Float64Array(strip * strip);
  for (let start = 0; start < rows; start += panelRows) {
    const count = Math.min(panelRows, rows - start);
    pack(leftPanel, left, leftWidth, start, count);
    pack(rightPanel, right, rightWidth, start, count);
    for (let i = 0; i < leftWidth; i += strip) {
      for (let j = upperOnly ? i : 0; j < rightWidth; j += strip) {
        multiplyStrips(block, leftPanel, i * count, rightPanel, j * count, count);
        addBlock(sum, block, i, j, leftWidth, rightWidth);
      }
    }
  }
}

/** Panel layout: strip after strip, in each [count, 4]; columns past the width are 0. */
function pack(panel: Float64Array, source: Float32Array, width: number, start: number, count: number): void {
  for (let column = 0; column < width; column += strip) {
    for (let row = 0; row < count; row++) {
      for (let c = 0; c < strip; c++) {
        const inside = column + c < width;
        panel[column * count + row * strip + c] = inside ? source[(start + row) * width + column + c]! : 0;
      }
    }
  }
}

/** block [4, 4] = one strip of the left panel, transposed, by one strip of the right panel. */
function multiplyStrips(
  block: Float64Array,
  left: Float64Array,
  leftOffset: number,
  right: Float64Array,
  rightOffset: number,
  count: number,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  for (let row = 0; row < count; row++) {
    const l = leftOffset + row * strip;
    const r = rightOffset + row * strip;
    const a = left[l]!;
    const b = left[l + 1]!;
    const c = left[l + 2]!;
    const d = left[l + 3]!;
    const w = right[r]!;
    const x = right[r + 1]!;
    const y = right[r + 2]!;
    const z = right[r + 3]!;
    s00 += a * w;
    s01 += a * x;
    s02 += a * y;
    s03 += a * z;
    s10 += b * w;
    s11 += b * x;
    s12 += b * y;
    s13 += b * z;
    s20 += c * w;
    s21 += c * x;
    s22 += c * y;
    s23 += c * z;
    s30 += d * w;
    s31 += d * x;
    s32 += d * y;
    s33 += d * z;
  }
  block[0] = s00;
  block[1] = s01;
  block[2] = s02;
  block[3] = s03;
  block[4] = s10;
  block[5] = s11;
  block[6] = s12;
  block[7] = s13;
  block[8] = s20;
  block[9] = s21;
  block[10] = s22;
  block[11] = s23;
  block[12] = s30;
  block[13] = s31;
  block[14] = s32;
  block[15] = s33;
}

function addBlock(sum: Float64Array, block: Float64Array, i: number, j: number, height: number, width: number): void {
  for (let a = 0; a < strip && i + a < height; a++) {
    for (let b = 0; b < strip && j + b < width; b++) sum[(i + a) * width + j + b]! += block[a * strip + b]!;
  }
}
