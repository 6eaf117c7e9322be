import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidNpy, parseNpy } from '../../../../src/models/pretrained/formats/npy.js';

/** Elements as bytes. */
const floats = (...values: number[]) => [...new Uint8Array(Float32Array.from(values).buffer)];

/** An array of version 1 with this dictionary. */
function npy(dictionary: string, data: readonly number[], version = 1): Uint8Array<ArrayBuffer> {
  const start = [0x93, ...Buffer.from('NUMPY'), version, 0, dictionary.length, 0];
  return Uint8Array.from([...start, ...Buffer.from(dictionary), ...data]);
}

const dictionary = (shape: string, type = '<f4', fortran = 'False') =>
  `{'descr': '${type}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

test('reads shapes as Python writes them', () => {
  assert.deepEqual(parseNpy(npy(dictionary('()'), floats(7))).shape, []);
  assert.deepEqual(parseNpy(npy(dictionary('(2,)'), floats(7, 8))).shape, [2]);
  assert.deepEqual(
    [...parseNpy(npy(dictionary('(2, 3)', '<f4', 'True'), floats(1, 4, 2, 5, 3, 6))).data],
    [1, 2, 3, 4, 5, 6],
  );
});

// numpy.array([1.5, -2], '>f4').tobytes() and so on.
test('reads the elements of big-endian machines', () => {
  const read = (type: string, bytes: readonly number[]) => [...parseNpy(npy(dictionary('(2,)', type), bytes)).data];
  assert.deepEqual(read('>f4', [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0]), [1.5, -2]);
  assert.deepEqual(read('>f2', [0x3e, 0, 0xc0, 0]), [1.5, -2]);
  assert.deepEqual(read('>f8', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0]), [1.5, -2]);
});

const refused: [name: string, bytes: Uint8Array<ArrayBuffer>, reason: RegExp][] = [
  ['missing data', npy(dictionary('(2,)'), floats(7)), /needs 8 bytes of data, it has 4/],
  ['trailing data', npy(dictionary('(2,)'), floats(7, 8, 9)), /needs 8 bytes of data, it has 12/],
  ['complex numbers', npy(dictionary('(1,)', '>c8'), [0, 0, 0, 0, 0, 0, 0, 0]), /of type >c8, which is not supported/],
  ['whole numbers', npy(dictionary('(2,)', '|u1'), [7, 8]), /of type \|u1, which is not supported/],
  ['large whole numbers', npy(dictionary('(1,)', '>i4'), [0, 0, 1, 0]), /of type >i4, which is not supported/],
  ['records', npy("{'descr': [('a', '<f4')], 'shape': (1,), }\n", [0, 0, 0, 0]), /not supported/],
  ['no shape', npy("{'descr': '<f4', 'fortran_order': False}\n", []), /gives no shape/],
  ['another version', npy(dictionary('()'), floats(7), 4), /version 4/],
  ['a cut header', npy(dictionary('()'), floats(7)).slice(0, 30), /header is cut off/],
  ['something else', Uint8Array.of(1, 2, 3), /not a \.npy array/],
];

for (const [name, bytes, reason] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => parseNpy(bytes),
      (error: unknown) => error instanceof InvalidNpy && reason.test(error.message),
    );
  });
}
