/**
 * MATLAB v5 reader: on files of scipy.io.savemat (test/fixtures/official/make-matlab.py) and on bytes built by hand.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { matlabFile } from '../../../../data-scripts/miniature/matlab-writer.js';
import { parseMatlab } from '../../../../src/data/official/readers/matlab.js';
import {
  hasField,
  type MatlabFile,
  numbersOf,
  structOf,
  textsOf,
} from '../../../../src/data/official/readers/matlab-values.js';
import { fixture } from '../../../fixture.js';

const scipy = JSON.parse(await readFile(fixture('official/matlab.json'), 'utf8')) as Record<string, string>;

function parsed(bytes: Uint8Array): MatlabFile {
  return { file: 'labels.mat', variables: parseMatlab(bytes, 'labels.mat') };
}

function header(text = 'MATLAB 5.0 MAT-file', endian = 'IM'): Buffer {
  const bytes = Buffer.alloc(128, 0x20);
  bytes.write(text, 'latin1');
  bytes.writeUInt16LE(0x0100, 124);
  bytes.write(endian, 126, 'latin1');
  return bytes;
}

/** 32-bit little-endian words. */
function words(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

/** A matrix element from its parts; all parts are whole 8-byte blocks. */
function matrix(...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([words(14, content.length), content]);
}

describe('files of scipy.io', () => {
  for (const [kind, base64] of Object.entries(scipy)) {
    test(`${kind}`, () => {
      const file = parsed(Buffer.from(base64, 'base64'));
      assert.deepEqual(numbersOf(file, 'doubles'), [1.5, -2, 3.25]);
      assert.deepEqual(numbersOf(file, 'column'), [1, 2, 3, 4, 5]);
      assert.deepEqual(file.variables.get('column')?.dims, [5, 1]);
      assert.deepEqual(numbersOf(file, 'matrix'), [1, 4, 2, 5, 3, 6], 'column-major');
      const flags = file.variables.get('flags');
      assert.deepEqual(flags, { kind: 'numbers', dims: [1, 3], logical: true, values: [1, 0, 1] });
      const text = file.variables.get('text');
      assert.equal(text?.kind === 'text' && text.text, 'Ram C/V Cargo Van Minivan 2012');
      const accents = file.variables.get('accents');
      assert.equal(accents?.kind === 'text' && accents.text, 'Citroën');
      assert.deepEqual(textsOf(file, 'cells'), ['one', 'three']);
      const rows = structOf(file, 'rows', ['class', 'fname']);
      assert.equal(rows.length, 2);
      assert.deepEqual([rows.number(1, 'class'), rows.text(1, 'fname')], [300, '00002.jpg']);
    });
  }
});

describe('bytes built by hand', () => {
  const flagsAndDims = (classCode: number, rows: number, columns: number) =>
    Buffer.concat([words(6, 8, classCode, 0), words(5, 8, rows, columns)]);
  const smallName = words((1 << 16) | 1, 'a'.charCodeAt(0));

  test('doubles stored as miUINT8 in a small element, after a compressed element that is not padded', () => {
    const small = matrix(flagsAndDims(6, 1, 3), smallName, words((3 << 16) | 2, 0x00_03_02_01));
    const compressed = deflateSync(small);
    const bytes = Buffer.concat([header(), words(15, compressed.length), compressed, small]);
    assert.notEqual(compressed.length % 8, 0, 'the second element is unaligned');
    assert.deepEqual(numbersOf(parsed(bytes), 'a'), [1, 2, 3]);
  });

  test('char data as miUINT16', () => {
    const text = Buffer.concat([words(4, 6), Buffer.from('Flo', 'utf16le'), Buffer.alloc(2)]);
    const value = parsed(Buffer.concat([header(), matrix(flagsAndDims(4, 1, 3), smallName, text)])).variables.get('a');
    assert.equal(value?.kind === 'text' && value.text, 'Flo');
  });

  test('miUINT16 doubles and field names of length 17', () => {
    const rows = [{ relative_im_path: { text: 'car_ims/000001.jpg' }, class: { numbers: [300] } }];
    const struct = structOf(parsed(matlabFile({ annotations: { struct: rows } })), 'annotations', ['class']);
    assert.equal(struct.number(0, 'class'), 300);
    assert.equal(struct.text(0, 'relative_im_path'), 'car_ims/000001.jpg');
  });

  test('an empty matrix element is an empty array', () => {
    const cell = matrix(flagsAndDims(1, 1, 1), smallName, words(14, 0));
    const value = parsed(Buffer.concat([header(), cell])).variables.get('a');
    assert.deepEqual(value?.kind === 'cell' && value.cells, [
      { kind: 'numbers', dims: [0, 0], logical: false, values: [] },
    ]);
  });

  test('refuses sizes beyond the bytes, and cells inside of cells without end', () => {
    const most = 0x7fffffff;
    const refused = /labels\.mat: variable 'a' of size 2147483647x\d+ has 40 bytes: the file is damaged/;
    for (const [classCode, columns] of [
      [1, most],
      [1, 1],
      [2, 1],
    ] as const) {
      const huge = matrix(flagsAndDims(classCode, most, columns), smallName);
      assert.throws(() => parsed(Buffer.concat([header(), huge])), refused);
    }
    const prefix = Buffer.concat([flagsAndDims(1, 1, 1), smallName]);
    const levels = Array.from({ length: 50_000 }, (_, above) => [words(14, 48 * (50_000 - above)), prefix]);
    const nested = Buffer.concat([header(), ...levels.flat(), words(14, 0)]);
    assert.throws(() => parsed(nested), /labels\.mat is damaged: Maximum call stack size exceeded/);
  });

  test('refuses complex numbers and sparse arrays', () => {
    const complex = matrix(flagsAndDims(6 | (0x08 << 8), 1, 1), smallName, words((1 << 16) | 2, 1));
    assert.throws(() => parsed(Buffer.concat([header(), complex])), /variable 'a' is complex/);
    const sparse = matrix(flagsAndDims(5, 1, 1), smallName);
    assert.throws(() => parsed(Buffer.concat([header(), sparse])), /array class 5/);
  });
});

describe('files that are something else', () => {
  test('MATLAB v7.3 is refused by name', () => {
    assert.throws(() => parsed(header('MATLAB 7.3 MAT-file')), /v7\.3 \(HDF5\) file/);
  });
  test('big-endian is refused', () => {
    assert.throws(() => parsed(header(undefined, 'MI')), /big-endian/);
  });
  test('neither an empty file nor a web page is MATLAB', () => {
    assert.throws(() => parsed(Buffer.alloc(0)), /not a MATLAB v5 file/);
    assert.throws(() => parsed(Buffer.from('<!DOCTYPE html>'.repeat(20))), /not a MATLAB v5 file/);
  });
  test('every truncation is a clean error', () => {
    const whole = matlabFile({ labels: { numbers: [1, 2, 300, 4] }, names: { cell: [{ text: 'one' }] } });
    for (let length = 129; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      try {
        assert.equal(parsed(cut).variables.size, 1, 'cut exactly between two variables');
      } catch (error) {
        assert.equal((error as Error).name, 'RequestError', `cut at ${length}`);
      }
    }
  });
});

describe('access', () => {
  const file = parsed(matlabFile({ labels: { numbers: [1] }, annotations: { struct: [{ fname: { text: 'a' } }] } }));
  test('names what is there when something is not', () => {
    assert.throws(() => numbersOf(file, 'label'), /no variable 'label'; it has labels, annotations/);
    assert.throws(() => textsOf(file, 'labels'), /is a numbers array, expected cell/);
    assert.throws(() => structOf(file, 'annotations', ['class']), /has no field 'class'; it has fname/);
    assert.equal(hasField(file, 'annotations', 'class'), false);
    assert.equal(hasField(file, 'annotations', 'fname'), true);
  });
});
