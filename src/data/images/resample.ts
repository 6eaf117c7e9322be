/**
 * Resampling of a window of an 8-bit image to a square. Separable convolution, stretched when it shrinks so that nothing
 * aliases; the same filters, borders and roundings as Pillow's Image.resize(size, filter, box). Rounding matters: bicubic
 * overshoot is cut off between the two passes, and without that single pixels differ by 10 of 255.
 */
import type { Interpolation, RgbImage } from './preprocessing.js';

/** Part of an image, in pixels; fractions are allowed. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Writes the window, resized to [size, size, 3] and mirrored left to right when `flip`, into `output`; values are
 * whole numbers from 0 to 255, which bytes hold as well.
 */
export function resample(
  image: RgbImage,
  window: Window,
  size: number,
  interpolation: Interpolation,
  flip: boolean,
  output: Float32Array | Uint8Array,
): void {
  const whole = Number.isInteger(window.left) && Number.isInteger(window.top);
  if (whole && window.width === size && window.height === size) {
    copyWindow(image, window, size, flip, output);
    return;
  }
  const filter = filters[interpolation];
  const columns = axisWeights(window.left, window.width, image.width, size, filter);
  const rows = axisWeights(window.top, window.height, image.height, size, filter);
  const firstRow = rows.starts[0]!;
  const lastRow = rows.starts[size - 1]! + rows.counts[size - 1]!;
  const rowLength = size * 3;
  const narrowed = new Uint8Array((lastRow - firstRow) * rowLength);
  for (let row = firstRow; row < lastRow; row++) {
    const from = row * image.width * 3;
    const to = (row - firstRow) * rowLength;
    resampleRow(image.pixels, from, columns, size, flip, narrowed, to);
  }
  for (let y = 0; y < size; y++) {
    resampleColumn(narrowed, firstRow, rows, y, rowLength, output);
  }
}

function copyWindow(
  image: RgbImage,
  window: Window,
  size: number,
  flip: boolean,
  output: Float32Array | Uint8Array,
): void {
  const { pixels, width } = image;
  const step = flip ? -3 : 3;
  let to = 0;
  for (let y = 0; y < size; y++) {
    let from = ((window.top + y) * width + window.left + (flip ? size - 1 : 0)) * 3;
    for (let x = 0; x < size; x++) {
      output[to] = pixels[from]!;
      output[to + 1] = pixels[from + 1]!;
      output[to + 2] = pixels[from + 2]!;
      to += 3;
      from += step;
    }
  }
}

function resampleRow(
  pixels: Uint8Array,
  rowStart: number,
  { starts, counts, weights, stride }: AxisWeights,
  size: number,
  flip: boolean,
  output: Uint8Array,
  outputStart: number,
): void {
  for (let x = 0; x < size; x++) {
    let red = half;
    let green = half;
    let blue = half;
    let from = rowStart + starts[x]! * 3;
    const first = x * stride;
    const end = first + counts[x]!;
    for (let at = first; at < end; at++) {
      const weight = weights[at]!;
      red = (red + Math.imul(weight, pixels[from]!)) | 0;
      green = (green + Math.imul(weight, pixels[from + 1]!)) | 0;
      blue = (blue + Math.imul(weight, pixels[from + 2]!)) | 0;
      from += 3;
    }
    const to = outputStart + (flip ? size - 1 - x : x) * 3;
    output[to] = toByte(red);
    output[to + 1] = toByte(green);
    output[to + 2] = toByte(blue);
  }
}

/** Of a sum of weighted bytes that began with `half`. */
function toByte(sum: number): number {
  return Math.max(0, Math.min(255, sum >> weightBits));
}

function resampleColumn(
  narrowed: Uint8Array,
  firstRow: number,
  { starts, counts, weights, stride }: AxisWeights,
  y: number,
  rowLength: number,
  output: Float32Array | Uint8Array,
): void {
  const to = y * rowLength;
  const from = (starts[y]! - firstRow) * rowLength;
  const first = y * stride;
  const end = first + counts[y]!;
  for (let at = 0; at < rowLength; at++) {
    let sum = half;
    let input = from + at;
    for (let tap = first; tap < end; tap++) {
      sum = (sum + Math.imul(weights[tap]!, narrowed[input]!)) | 0;
      input += rowLength;
    }
    output[to + at] = toByte(sum);
  }
}

interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const filters: Record<Interpolation, Filter> = {
  bilinear: { support: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) },
  bicubic: { support: 2, weight: cubic },
};

/** Keys' cubic convolution with a = -0.5 (Catmull-Rom), as in Pillow. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/**
 * Pillow's weights are integers of 22 bits; with other ones, values that lie halfway would round another way. Sums fit
 * into 32 bits, also where bicubic weights overshoot.
 */
const weightBits = 22;
const half = 2 ** (weightBits - 1);

/** Which input pixels each output pixel of one axis reads, and with what weights; weights of a pixel sum to 1, but for rounding. */
interface AxisWeights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** [size, stride], the first `counts` of each row in use; 2 ** weightBits is 1 */
  readonly weights: Int32Array;
  readonly stride: number;
}

function axisWeights(from: number, length: number, inputSize: number, size: number, filter: Filter): AxisWeights {
  const scale = length / size;
  const stretch = Math.max(1, scale);
  const support = filter.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(size);
  const counts = new Int32Array(size);
  const weights = new Int32Array(size * stride);
  const exact = new Float64Array(stride);
  for (let x = 0; x < size; x++) {
    const centre = from + (x + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(inputSize, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let at = start; at < end; at++) {
      const weight = filter.weight((at - centre + 0.5) / stretch);
      exact[at - start] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < end - start; tap++) {
      weights[x * stride + tap] = Math.round((exact[tap]! / sum) * 2 ** weightBits);
    }
    starts[x] = start;
    counts[x] = end - start;
  }
  return { starts, counts, weights, stride };
}
