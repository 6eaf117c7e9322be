/** Reads the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): the fields of one message. */

export interface Field {
  readonly number: number;
  /** Of variable length integers and fixed ones of 32 bits; those of 64 bits are cut to what a number holds. */
  readonly integer: number;
  /** Of strings, bytes and messages inside; empty for numbers. */
  readonly bytes: Uint8Array;
}

/** Throws a RangeError where the bytes are no message. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let position = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[position++];
      if (byte === undefined) throw new RangeError('a number runs over the end');
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    if (position + length > message.length) throw new RangeError('a field runs over the end');
    position += length;
    return message.subarray(position - length, position);
  };
  while (position < message.length) {
    const key = varint();
    const [number, wireType] = [Math.floor(key / 8), key % 8];
    if (wireType === 0) yield { number, integer: varint(), bytes: noBytes };
    else if (wireType === 2) yield { number, integer: 0, bytes: take(varint()) };
    else if (wireType === 5) yield { number, integer: littleEndian(take(4)), bytes: noBytes };
    else if (wireType === 1) yield { number, integer: littleEndian(take(8)), bytes: noBytes };
    else throw new RangeError(`wire type ${wireType} does not exist`);
  }
}

/** A field of 32 bits as the float that it stands for. */
export function asFloat({ integer }: Field): number {
  return new Float32Array(Uint32Array.of(integer).buffer)[0]!;
}

const noBytes = new Uint8Array(0);

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
