/**
 * Writes the pickles of CIFAR-100's Python version as Python 2 wrote them (protocol 2, byte strings, one numpy
 * array).
 */

export type PickleInput =
  | number
  | string
  | readonly PickleInput[]
  | { readonly array: Uint8Array; readonly shape: readonly [number, number] };

/** A pickled dictionary. Numbers are non-negative and below 2^31; strings become Python 2 byte strings. */
export function pickledDictionary(entries: Readonly<Record<string, PickleInput>>): Buffer {
  const parts = Object.entries(entries).flatMap(([key, value]) => [...pickled(key), ...pickled(value)]);
  return Buffer.concat([Buffer.from('\x80\x02}q\x01(', 'latin1'), ...parts, Buffer.from('u.', 'latin1')]);
}

function pickled(value: PickleInput): Buffer[] {
  if (typeof value === 'number') return [integer(value)];
  if (typeof value === 'string') return [byteString(Buffer.from(value, 'latin1'))];
  if ('array' in value) return numpyArray(value.array, value.shape);
  return [opcodes(']('), ...value.flatMap(pickled), opcodes('e')];
}

function numpyArray(array: Uint8Array, shape: readonly number[]): Buffer[] {
  const ascii = (text: string) => byteString(Buffer.from(text, 'latin1'));
  const minusOne = Buffer.from([0x4a, 0xff, 0xff, 0xff, 0xff]);
  return [
    opcodes('cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n'),
    ...[integer(0), opcodes('\x85'), ascii('b'), opcodes('\x87R(')],
    ...[integer(1), ...shape.map(integer), opcodes('\x86cnumpy\ndtype\n'), ascii('u1'), integer(0), integer(1)],
    ...[opcodes('\x87R('), integer(3), ascii('|'), opcodes('NNN'), minusOne, minusOne, integer(0), opcodes('tb\x89')],
    ...[byteString(array), opcodes('tb')],
  ];
}

function integer(value: number): Buffer {
  if (value < 256) return Buffer.from([0x4b, value]);
  const long = Buffer.alloc(5);
  long.write('J', 'latin1');
  long.writeInt32LE(value, 1);
  return long;
}

function byteString(bytes: Uint8Array): Buffer {
  if (bytes.length < 256) return Buffer.concat([Buffer.from([0x55, bytes.length]), bytes]);
  const head = Buffer.alloc(5);
  head.write('T', 'latin1');
  head.writeInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function opcodes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
