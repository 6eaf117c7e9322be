/**
 * The few lines of Protocol Buffers that writing an ONNX file needs (wire types 0, 2 and 5; protobuf.dev/programming-guides/encoding).
 * One buffer that grows: a traced program has ten thousand fields, and a buffer for each of them keeps the collector busy.
 */
export class ProtobufWriter {
  private buffer = Buffer.allocUnsafe(256);
  private length = 0;

  int(field: number, value: number): this {
    this.varint(field << 3);
    return this.varint(value);
  }

  float(field: number, value: number): this {
    this.varint((field << 3) | 5).reserve(4);
    this.length = this.buffer.writeFloatLE(value, this.length);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.lengthDelimited(field, value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  string(field: number, value: string): this {
    const length = Buffer.byteLength(value);
    this.lengthDelimited(field, length);
    this.buffer.write(value, this.length);
    this.length += length;
    return this;
  }

  message(field: number, value: ProtobufWriter): this {
    return this.bytes(field, value.finish());
  }

  /** What was written so far; valid until more is. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  private lengthDelimited(field: number, length: number): void {
    this.varint((field << 3) | 2)
      .varint(length)
      .reserve(length);
  }

  private varint(value: number): this {
    this.reserve(10);
    let rest = value;
    if (value < 0) {
      // Two's complement of 64 bits.
      let wide = BigInt.asUintN(64, BigInt(value));
      for (; wide > 0x7fn; wide >>= 7n) this.buffer[this.length++] = Number(wide & 0x7fn) | 0x80;
      rest = Number(wide);
    }
    // Division: shifts of JavaScript see 32 bits.
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.buffer[this.length++] = (rest % 128) | 0x80;
    this.buffer[this.length++] = rest;
    return this;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.length + bytes));
    larger.set(this.finish());
    this.buffer = larger;
  }
}
