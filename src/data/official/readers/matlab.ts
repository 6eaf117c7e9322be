/**
 * Reader of MATLAB v5 files, as far as label files of image data sets need it: numeric, logical, char, cell and struct
 * arrays, compressed or not, little-endian.
 *
 * Format: "MAT-File Format", MathWorks, chapter 1. Compared with scipy.io, numeric data may be stored in a smaller type
 * than its class says and is widened to numbers here. Sparse, complex, object and function arrays are refused.
 *
 * Written by hand because the npm library, mat-for-js, is under the GPL.
 */
import { readFile } from 'node:fs/promises';
import { inflateSync } from 'node:zlib';
import { messageOf, RequestError } from '../../../shared/errors.js';
import type { MatlabFile, MatlabValue } from './matlab-values.js';

const headerBytes = 128;
const dataType = { int8: 1, uint8: 2, uint16: 4, matrix: 14, compressed: 15, utf8: 16, utf16: 17 } as const;
const arrayClass = { cell: 1, struct: 2, char: 4, double: 6, uint64: 15 } as const;
/** Bytes of a compressed variable: far more than the longest list of an official data set takes. */
const longestVariable = 2 ** 28;
const logicalFlag = 0x02;
const complexFlag = 0x08;

/** Size in bytes and reader of each numeric data type (miINT8 = 1 up to miUINT64 = 13). */
const numericTypes: ReadonlyMap<number, { size: number; read: (view: DataView, at: number) => number }> = new Map([
  [1, { size: 1, read: (view, at) => view.getInt8(at) }],
  [2, { size: 1, read: (view, at) => view.getUint8(at) }],
  [3, { size: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { size: 2, read: (view, at) => view.getUint16(at, true) }],
  [5, { size: 4, read: (view, at) => view.getInt32(at, true) }],
  [6, { size: 4, read: (view, at) => view.getUint32(at, true) }],
  [7, { size: 4, read: (view, at) => view.getFloat32(at, true) }],
  [9, { size: 8, read: (view, at) => view.getFloat64(at, true) }],
  [12, { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) }],
  [13, { size: 8, read: (view, at) => Number(view.getBigUint64(at, true)) }],
]);

/** Reads a MATLAB v5 file. Missing file, other versions (v4, v7.3) and damaged files are RequestErrors. */
export async function readMatlab(file: string): Promise<MatlabFile> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new RequestError(`${file} cannot be read: ${messageOf(error)}`);
  });
  return { file, variables: parseMatlab(bytes, file) };
}

/** Variables of a MATLAB v5 file by name; `file` is only named in errors. */
export function parseMatlab(bytes: Uint8Array, file: string): Map<string, MatlabValue> {
  checkHeader(bytes, file);
  try {
    return variablesOf(bytes, file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Cells inside of cells without end, and lengths that no list has.
    throw new RequestError(`${file} is damaged: ${error.message}`, 'Download the file again.');
  }
}

function variablesOf(bytes: Uint8Array, file: string): Map<string, MatlabValue> {
  const variables = new Map<string, MatlabValue>();
  const elements = new Elements(bytes, headerBytes, bytes.length, file);
  while (!elements.done) {
    const element = elements.next();
    if (element.type === dataType.compressed) {
      const inflated = inflate(element.bytes, file);
      const inner = new Elements(inflated, 0, inflated.length, file).expect(dataType.matrix, 'an array');
      addVariable(variables, inner, file);
    } else if (element.type === dataType.matrix) {
      addVariable(variables, element, file);
    } else {
      throw new RequestError(`${file}: unexpected element of type ${element.type} where a variable should begin`);
    }
  }
  return variables;
}

function checkHeader(bytes: Uint8Array, file: string): void {
  const hint = 'Use the .mat file of the official download, or save it again with MATLAB: save(..., "-v7").';
  const text = Buffer.from(bytes.subarray(0, 116)).toString('latin1');
  if (text.startsWith('MATLAB 7.3') || text.startsWith('\x89HDF')) {
    throw new RequestError(`${file} is a MATLAB v7.3 (HDF5) file; only MATLAB v5 files can be read`, hint);
  }
  const endian = Buffer.from(bytes.subarray(126, 128)).toString('latin1');
  if (!text.startsWith('MATLAB 5.0') || bytes.length < headerBytes) {
    throw new RequestError(`${file} is not a MATLAB v5 file: it does not begin with 'MATLAB 5.0'`, hint);
  }
  if (endian === 'MI')
    throw new RequestError(`${file} is a big-endian MATLAB file; only little-endian can be read`, hint);
  const version = bytes[124]! | (bytes[125]! << 8);
  if (endian !== 'IM' || version !== 0x0100) {
    throw new RequestError(`${file} has a damaged MATLAB header (version ${version}, mark '${endian}')`, hint);
  }
}

function inflate(bytes: Uint8Array, file: string): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: longestVariable });
  } catch (error) {
    throw new RequestError(`${file}: a compressed variable is damaged (${messageOf(error)})`);
  }
}

function addVariable(variables: Map<string, MatlabValue>, element: MatlabElement, file: string): void {
  const { name, value } = parseMatrix(element, file);
  variables.set(name, value);
}

interface MatlabElement {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Walks the data elements between two offsets. */
class Elements {
  private readonly view: DataView;
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly limit: number,
    private readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.limit;
  }

  next(): MatlabElement {
    this.checkRoom(8);
    const word = this.view.getUint32(this.at, true);
    const smallSize = word >>> 16;
    if (smallSize !== 0) {
      if (smallSize > 4) throw new RequestError(`${this.file}: damaged MATLAB element at byte ${this.at}`);
      const start = this.at + 4;
      this.at += 8;
      return { type: word & 0xffff, bytes: this.bytes.subarray(start, start + smallSize) };
    }
    const size = this.view.getUint32(this.at + 4, true);
    this.checkRoom(8 + size);
    const start = this.at + 8;
    // Compressed elements are the only ones that are not padded to 8 bytes.
    this.at = start + (word === dataType.compressed ? size : Math.ceil(size / 8) * 8);
    return { type: word, bytes: this.bytes.subarray(start, start + size) };
  }

  /** The next element, which must have this type. */
  expect(type: number, what: string): MatlabElement {
    const element = this.next();
    if (element.type !== type) {
      throw new RequestError(`${this.file}: expected ${what} (type ${type}), found an element of type ${element.type}`);
    }
    return element;
  }

  private checkRoom(size: number): void {
    if (this.at + size > this.limit) {
      const missing = this.at + size - this.limit;
      throw new RequestError(`${this.file} is truncated: ${missing} bytes are missing`, 'Download the file again.');
    }
  }
}

function parseMatrix(element: MatlabElement, file: string): { name: string; value: MatlabValue } {
  const empty: MatlabValue = { kind: 'numbers', dims: [0, 0], logical: false, values: [] };
  if (element.bytes.length === 0) return { name: '', value: empty };
  const parts = new Elements(element.bytes, 0, element.bytes.length, file);
  const [flags] = numbers(parts.next(), file);
  const classCode = (flags ?? 0) & 0xff;
  const flagBits = ((flags ?? 0) >>> 8) & 0xff;
  const dims = numbers(parts.next(), file);
  const name = Buffer.from(parts.expect(dataType.int8, 'an array name').bytes).toString('latin1');
  const count = dims.reduce((product, extent) => product * extent, 1);
  // Every element takes at least a byte: a count beyond them would be made in memory before it is missed.
  if (!(count <= element.bytes.length)) {
    throw new RequestError(
      `${file}: variable '${name}' of size ${dims.join('x')} has ${element.bytes.length} bytes: the file is damaged`,
      'Download the file again.',
    );
  }
  if (flagBits & complexFlag) throw new RequestError(`${file}: variable '${name}' is complex, which is not supported`);
  if (classCode === arrayClass.cell) {
    return { name, value: { kind: 'cell', dims, cells: matrices(parts, count, file) } };
  }
  if (classCode === arrayClass.struct) return { name, value: parseStruct(parts, dims, count, file) };
  if (classCode === arrayClass.char) {
    return { name, value: { kind: 'text', dims, text: parseText(parts.next(), dims, name, file) } };
  }
  if (classCode >= arrayClass.double && classCode <= arrayClass.uint64) {
    const values = numbers(parts.next(), file);
    if (values.length !== count) {
      throw new RequestError(`${file}: variable '${name}' of size ${dims.join('x')} has ${values.length} numbers`);
    }
    return { name, value: { kind: 'numbers', dims, logical: (flagBits & logicalFlag) !== 0, values } };
  }
  throw new RequestError(`${file}: variable '${name}' has array class ${classCode}, which is not supported`);
}

function parseStruct(parts: Elements, dims: readonly number[], count: number, file: string): MatlabValue {
  const [nameLength = 0] = numbers(parts.next(), file);
  const names = Buffer.from(parts.expect(dataType.int8, 'struct field names').bytes);
  if (!(nameLength >= 1)) throw new RequestError(`${file}: damaged struct, field names of length ${nameLength}`);
  const fields: string[] = [];
  for (let at = 0; at < names.length; at += nameLength) {
    const padded = names.subarray(at, at + nameLength).toString('latin1');
    fields.push(padded.split('\0')[0]!);
  }
  const elements = Array.from({ length: count }, () => {
    const values = matrices(parts, fields.length, file);
    return Object.fromEntries(fields.map((field, index) => [field, values[index]!]));
  });
  return { kind: 'struct', dims, fields, elements };
}

function matrices(parts: Elements, count: number, file: string): MatlabValue[] {
  return Array.from({ length: count }, () => parseMatrix(parts.expect(dataType.matrix, 'an array'), file).value);
}

function parseText(element: MatlabElement, dims: readonly number[], name: string, file: string): string {
  if ((dims[0] ?? 0) > 1) throw new RequestError(`${file}: char array '${name}' has ${dims[0]} rows, expected 1`);
  const data = Buffer.from(element.bytes);
  switch (element.type) {
    case dataType.utf8:
    case dataType.int8:
    case dataType.uint8:
      return data.toString('utf8');
    case dataType.utf16:
    case dataType.uint16:
      return data.toString('utf16le');
    default:
      throw new RequestError(`${file}: char array '${name}' has data of type ${element.type}, which is not supported`);
  }
}

function numbers(element: MatlabElement, file: string): number[] {
  const type = numericTypes.get(element.type);
  if (!type) throw new RequestError(`${file}: expected numbers, found data of type ${element.type}`);
  const { buffer, byteOffset, byteLength } = element.bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  return Array.from({ length: Math.floor(byteLength / type.size) }, (_, index) => type.read(view, index * type.size));
}
