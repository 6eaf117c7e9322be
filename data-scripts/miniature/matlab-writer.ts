/**
 * Writes MATLAB v5 files the way MATLAB does: compressed variables, numbers in the smallest integer type that holds
 * them.
 */
import { deflateSync } from 'node:zlib';

export type MatlabInput =
  | { readonly numbers: readonly number[]; readonly logical?: boolean }
  | { readonly text: string }
  | { readonly cell: readonly MatlabInput[] }
  | { readonly struct: readonly Readonly<Record<string, MatlabInput>>[] };

/** Bytes of a file with these variables. Numbers and structs are 1 x N, cells `cellColumns ? N x 1 : 1 x N`. */
export function matlabFile(variables: Readonly<Record<string, MatlabInput>>, cellColumns = false): Buffer {
  const header = Buffer.alloc(128, 0x20);
  header.write('MATLAB 5.0 MAT-file, Platform: miniature', 'latin1');
  header.fill(0, 116, 124);
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126, 'latin1');
  const compressed = Object.entries(variables).map(([name, value]) => {
    const payload = deflateSync(matrix(name, value, cellColumns));
    return Buffer.concat([tag(15, payload.length), payload]);
  });
  return Buffer.concat([header, ...compressed]);
}

function matrix(name: string, value: MatlabInput, cellColumns: boolean): Buffer {
  const inner = (each: MatlabInput) => matrix('', each, cellColumns);
  const lead = (classCode: number, dims: readonly number[], logical = false) => [
    element(6, Buffer.from(Uint32Array.of(classCode | (logical ? 0x200 : 0), 0).buffer)),
    element(5, Buffer.from(Int32Array.from(dims).buffer)),
    element(1, Buffer.from(name, 'latin1')),
  ];
  if ('numbers' in value) {
    const { numbers, logical = false } = value;
    return wrap([...lead(logical ? 9 : 6, [1, numbers.length], logical), smallestNumbers(numbers)]);
  }
  if ('text' in value) {
    return wrap([...lead(4, [1, value.text.length]), element(16, Buffer.from(value.text, 'utf8'))]);
  }
  if ('cell' in value) {
    const count = value.cell.length;
    return wrap([...lead(1, cellColumns ? [count, 1] : [1, count]), ...value.cell.map(inner)]);
  }
  const fields = Object.keys(value.struct[0] ?? {});
  const nameLength = 1 + Math.max(7, ...fields.map((field) => field.length));
  const names = Buffer.alloc(nameLength * fields.length);
  for (const [index, field] of fields.entries()) names.write(field, index * nameLength, 'latin1');
  return wrap([
    ...lead(2, [1, value.struct.length]),
    element(5, Buffer.from(Int32Array.of(nameLength).buffer)),
    element(1, names),
    ...value.struct.flatMap((row) => fields.map((field) => inner(row[field]!))),
  ]);
}

function smallestNumbers(numbers: readonly number[]): Buffer {
  if (numbers.every((value) => Number.isInteger(value) && value >= 0 && value < 256)) {
    return element(2, Buffer.from(numbers));
  }
  if (numbers.every((value) => Number.isInteger(value) && value >= 0 && value < 65536)) {
    return element(4, Buffer.from(Uint16Array.from(numbers).buffer));
  }
  return element(9, Buffer.from(Float64Array.from(numbers).buffer));
}

function wrap(parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([tag(14, content.length), content]);
}

/** An element with its data padded to 8 bytes; up to 4 bytes of data share the tag ("small data element"). */
function element(type: number, data: Buffer): Buffer {
  if (data.length > 0 && data.length <= 4) {
    const small = Buffer.alloc(8);
    small.writeUInt32LE((data.length << 16) | type);
    data.copy(small, 4);
    return small;
  }
  return Buffer.concat([tag(type, data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

function tag(type: number, size: number): Buffer {
  return Buffer.from(Uint32Array.of(type, size).buffer);
}
