/**
 * Builds a message in protobuf's wire format from fields in the order of the calls. Large byte fields are kept as they are
 * until `concat`, so they must not change before. Source: the protocol buffers encoding guide.
 */
export class WireWriter {
  /** Bytes of the message so far. */
  size = 0;
  private readonly parts: Uint8Array[] = [];

  /** An int32, int64, uint64, bool or enum: a safe integer, or any int64 as bigint. */
  integer(field: number, value: number | bigint): this {
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.push(bytes);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.push(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, value: WireWriter): this {
    this.varint(field * 8 + 2);
    this.varint(value.size);
    for (const part of value.parts) this.push(part);
    return this;
  }

  /** The whole message, in a buffer of its own. */
  concat(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.size);
    let position = 0;
    for (const part of this.parts) {
      whole.set(part, position);
      position += part.length;
    }
    return whole;
  }

  private push(part: Uint8Array): void {
    this.parts.push(part);
    this.size += part.length;
  }

  /** Seven bits a byte, the lowest first; a negative number as its 64 bits of two's complement. */
  private varint(value: number | bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
    this.push(Uint8Array.from(bytes));
  }
}
