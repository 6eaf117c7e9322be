/**
 * The few lines of Protocol Buffers that writing an ONNX file needs (wire types 0, 2 and 5; protobuf.dev/programming-guides/encoding).
 */
export class ProtobufWriter {
  private readonly parts: Uint8Array[] = [];

  int(field: number, value: number | bigint): this {
    this.parts.push(varint(BigInt(field << 3)), varint(BigInt(value)));
    return this;
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.parts.push(varint(BigInt((field << 3) | 5)), bytes);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.parts.push(varint(BigInt((field << 3) | 2)), varint(BigInt(value.length)), value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  message(field: number, value: ProtobufWriter): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

function varint(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, value);
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
