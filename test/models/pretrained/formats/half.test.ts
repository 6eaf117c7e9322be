import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  narrowToBFloat16,
  narrowToHalf,
  widenBFloat16,
  widenHalf,
} from '../../../../src/models/pretrained/formats/half.js';
import { fixtureJson } from '../fixtures.js';

const { float32, float16, bfloat16 } = fixtureJson<{ float32: number[]; float16: number[]; bfloat16: number[] }>(
  'half.json',
);
const values = new Float32Array(Uint32Array.from(float32).buffer);

const isNaN16 = (bits: number, infinity: number) => (bits & 0x7fff) > infinity;

/** NaN payloads are free; everything else must be equal bit by bit. */
function assertSameBits(received: Uint16Array, expected: readonly number[], infinity: number): void {
  for (const [index, bits] of expected.entries()) {
    if (isNaN16(bits, infinity)) assert.ok(isNaN16(received[index]!, infinity), `element ${index} should be NaN`);
    else assert.equal(received[index], bits, `element ${index} of ${values[index]}`);
  }
}

test('float32 is rounded to float16 as torch rounds it', () => {
  assertSameBits(narrowToHalf(values), float16, 0x7c00);
});

test('float32 is rounded to bfloat16 as torch rounds it', () => {
  assertSameBits(narrowToBFloat16(values), bfloat16, 0x7f80);
});

test('all 65536 halves survive the way to float32 and back', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  assertSameBits(narrowToHalf(widenHalf(all)), [...all], 0x7c00);
  assertSameBits(narrowToBFloat16(widenBFloat16(all)), [...all], 0x7f80);
});

test('known halves', () => {
  const halves = Uint16Array.of(0x0001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0x7c00, 0xfc00, 0x8000);
  const expected = [
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    1,
    65504,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
  ];
  assert.deepEqual([...widenHalf(halves)], expected);
});

test('a view into a larger buffer is narrowed', () => {
  assert.deepEqual([...narrowToHalf(Float32Array.of(9, 1, 2).subarray(1))], [0x3c00, 0x4000]);
});

test('every value of an array is converted, the first and the last too', () => {
  // 1, -2 and 3 as upper halves of float32.
  const bits = Uint16Array.of(0x3f80, 0xc000, 0x4040);
  assert.deepEqual([...widenBFloat16(bits)], [1, -2, 3]);
  assert.deepEqual(narrowToBFloat16(Float32Array.of(1, -2, 3)), bits);
  assert.deepEqual([...widenHalf(Uint16Array.of(0x3c00, 0xc000, 0x4200))], [1, -2, 3]);
  assert.deepEqual(narrowToHalf(Float32Array.of(1, -2, 3)), Uint16Array.of(0x3c00, 0xc000, 0x4200));
});
