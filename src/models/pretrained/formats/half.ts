/**
 * 16-bit floats to and from float32: IEEE binary16 (F16) and bfloat16 (BF16, the upper half of a float32).
 * Widening is exact; narrowing rounds to nearest, ties to even, keeps signed zeros and infinities, and makes every NaN quiet.
 */

/** Widens IEEE half floats, given as their 16 bits. */
export function widenHalf(halves: Uint16Array): Float32Array {
  const table = halfTable();
  const bits = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) bits[index] = table[halves[index]!]!;
  return new Float32Array(bits.buffer);
}

/** Narrows to IEEE half floats; what rounds to 65520 or more becomes infinite. */
export function narrowToHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = bitsOf(values);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < halves.length; index++) halves[index] = halfOf(bits[index]!);
  return halves;
}

/** Widens bfloat16 values, given as their 16 bits. */
export function widenBFloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) bits[index] = halves[index]! << 16;
  return new Float32Array(bits.buffer);
}

export function narrowToBFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = bitsOf(values);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < halves.length; index++) {
    const word = bits[index]!;
    // Rounding up a NaN's mantissa could carry into the exponent and make it infinite or zero.
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    halves[index] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** The nearest half of a float32, both as bits. */
function halfOf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520, half-way between the largest half and 2^16
  if (magnitude >= 0x38800000) {
    // 2^-14 and above: the exponent moves from bias 127 to bias 15; a carry out of the mantissa raises it, as it should.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // 2^-25, half of the smallest subnormal: the tie goes to even, 0
  const shift = 126 - (magnitude >>> 23); // to multiples of 2^-24
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const floor = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return sign | (rest > middle || (rest === middle && (floor & 1) === 1) ? floor + 1 : floor);
}

let table: Uint32Array | undefined;

/** The float32 bits of all 65536 halves, made at first use. */
function halfTable(): Uint32Array {
  if (table) return table;
  table = new Uint32Array(0x10000);
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let half = 0; half < 0x8000; half++) {
    const exponent = half >>> 10;
    const mantissa = half & 0x3ff;
    if (exponent === 31) bits[0] = 0x7f800000 | (mantissa << 13);
    else if (exponent === 0) value[0] = mantissa * 2 ** -24;
    else bits[0] = ((exponent + 112) << 23) | (mantissa << 13);
    table[half] = bits[0]!;
    table[half | 0x8000] = (bits[0]! | 0x80000000) >>> 0;
  }
  return table;
}
