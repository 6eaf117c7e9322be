/**
 * The .npy format, versions 1 to 3 (numpy/numpy, numpy/lib/format.py): a magic string, a Python dictionary that gives
 * type, order and shape, then the elements. Floating-point numbers are widened or rounded to float32; whole numbers are no
 * weights, but codes of a quantised network.
 */
import { type Float32NdArray, float32, sizeOf } from '../../../shared/arrays.js';
import { widenHalf } from './half.js';
import { permuted } from './layout.js';

/** What is wrong with an array, without its name. */
export class InvalidNpy extends Error {}

/** Arrays that are well-formed, of a type that is not read. */
export class UnsupportedNpy extends InvalidNpy {
  readonly hint =
    'Save the array as float32: numpy.savez(file, **{name: array.astype("float32")}). Whole numbers are codes of a quantised network, which has to be converted first.';
}

/** Bytes of the element types that are read, and how, in little-endian order. */
const elementTypes: Readonly<Record<string, { bytes: number; decode: (buffer: ArrayBuffer) => Float32Array }>> = {
  '<f4': { bytes: 4, decode: (buffer) => new Float32Array(buffer) },
  '<f2': { bytes: 2, decode: (buffer) => widenHalf(new Uint16Array(buffer)) },
  '<f8': { bytes: 8, decode: (buffer) => new Float32Array(new Float64Array(buffer)) },
};

/** Throws InvalidNpy. */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>): Float32NdArray {
  const { header, dataStart } = splitHeader(bytes);
  const type = capture(header, /'descr'\s*:\s*'([^']*)'/) ?? capture(header, /'descr'\s*:\s*(.*)/) ?? 'unknown';
  // '>f4' has the bytes of '<f4' in the other order.
  const isBigEndian = type.startsWith('>');
  const elementType = elementTypes[type.replace(/^[>=]/, '<')];
  if (!elementType) {
    const kind = type.includes('O')
      ? 'Python objects, which are never read'
      : `of type ${type}, which is not supported`;
    throw new UnsupportedNpy(`its elements are ${kind} (supported: ${Object.keys(elementTypes).join(', ')})`);
  }
  const shape = shapeOf(header);
  const expected = sizeOf(shape) * elementType.bytes;
  const received = bytes.length - dataStart;
  if (received !== expected) {
    throw new InvalidNpy(`${type} [${shape.join(', ')}] needs ${expected} bytes of data, it has ${received}`);
  }
  const elements = Buffer.from(bytes.subarray(dataStart));
  if (isBigEndian) swapBytes(elements, elementType.bytes);
  const data = elementType.decode(new Uint8Array(elements).buffer);
  if (capture(header, /'fortran_order'\s*:\s*(True|False)/) !== 'True') return float32(shape, data);
  // Column-major is the row-major array of the axes in reverse.
  const axes = shape.map((_, axis) => axis).reverse();
  return permuted(float32([...shape].reverse(), data), axes);
}

function swapBytes(elements: Buffer, bytes: number): void {
  if (bytes === 2) elements.swap16();
  if (bytes === 4) elements.swap32();
  if (bytes === 8) elements.swap64();
}

function splitHeader(bytes: Uint8Array): { header: string; dataStart: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.toString('latin1', 0, 6) !== '\x93NUMPY') throw new InvalidNpy('it is not a .npy array');
  const version = view[6];
  if (version !== 1 && version !== 2 && version !== 3) throw new InvalidNpy(`its version ${version} is not 1, 2 or 3`);
  const headerStart = version === 1 ? 10 : 12;
  if (view.length < headerStart) throw new InvalidNpy('its header is cut off');
  const dataStart = headerStart + (version === 1 ? view.readUInt16LE(8) : view.readUInt32LE(8));
  if (dataStart > view.length) throw new InvalidNpy('its header is cut off');
  return { header: view.toString(version === 3 ? 'utf8' : 'latin1', headerStart, dataStart), dataStart };
}

/** `()`, `(3,)` or `(1, 197, 192)`. */
function shapeOf(header: string): number[] {
  const list = capture(header, /'shape'\s*:\s*\(([\d\s,L]*)\)/);
  if (list === undefined) throw new InvalidNpy('its header gives no shape');
  return [...list.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

function capture(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}
