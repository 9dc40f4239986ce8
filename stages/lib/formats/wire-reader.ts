/** How the value of a field is written. Groups (3 and 4) are none of it: no message read here has ever had them. */
const Wire = {varint: 0, fixed64: 1, bytes: 2, fixed32: 5} as const;

/**
 * Reads protobuf's wire format from start to end without copying. Every read is held to the message it is in; what does not
 * fit throws the error that `fail` makes of a message with the byte. Source: the protocol buffers encoding guide.
 */
export class WireReader {
  /** Number of the field that `next` came to. */
  field = 0;
  /** Wire type of that field. */
  wire = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private position = 0;
  private limit: number;
  private readonly fail: (message: string) => Error;

  constructor(bytes: Uint8Array, fail: (message: string) => Error) {
    this.bytes = bytes;
    this.fail = fail;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limit = bytes.length;
  }

  /** Goes to the next field of the message; false at its end. The field must then be read or skipped. */
  next(): boolean {
    if (this.position === this.limit) return false;
    const tag = this.unsigned('a field tag');
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0 || tag >= 2 ** 32) throw this.wrong(`field number ${this.field}`);
    return true;
  }

  /** Goes into the message that the field holds; give the result to `leave` when `next` has said false. */
  enter(what: string): number {
    const outer = this.limit;
    this.limit = this.endOfBytes(what);
    return outer;
  }

  leave(outer: number): void {
    this.limit = outer;
  }

  /** The bytes that the field holds: a view. */
  take(what: string): Uint8Array {
    const end = this.endOfBytes(what);
    const taken = new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + this.position, end - this.position);
    this.position = end;
    return taken;
  }

  /** The text that the field holds. */
  text(what: string): string {
    const {buffer, byteOffset, length} = this.take(what);
    return Buffer.from(buffer, byteOffset, length).toString();
  }

  /** The integer of the field. Throws for one outside ±(2^53 - 1). */
  integer(what: string): number {
    if (this.wire !== Wire.varint) throw this.wrong(`${what} has wire type ${this.wire}; ${Wire.varint} is needed`);
    return this.signed(what);
  }

  /** Adds the floats of the field to `values`: packed, or one. */
  floats(values: number[], what: string): void {
    if (this.wire === Wire.fixed32) {
      values.push(this.float(what));
      return;
    }
    const outer = this.enter(what);
    while (this.position < this.limit) values.push(this.float(what));
    this.leave(outer);
  }

  /** Adds the int64 of the field to `values`: packed, or one. Throws for one outside ±(2^53 - 1). */
  integers(values: number[], what: string): void {
    if (this.wire === Wire.varint) {
      values.push(this.signed(what));
      return;
    }
    const outer = this.enter(what);
    while (this.position < this.limit) values.push(this.signed(what));
    this.leave(outer);
  }

  /** The fixed32 of the field, 0 ... 2^32-1. */
  fixed32(what: string): number {
    if (this.wire !== Wire.fixed32) throw this.wrong(`${what} has wire type ${this.wire}; ${Wire.fixed32} is needed`);
    return this.view.getUint32(this.advance(4, what), true);
  }

  /** Passes over a field that is not known. */
  skip(): void {
    const what = `field ${this.field}`;
    if (this.wire === Wire.varint) this.varint(what);
    else if (this.wire === Wire.bytes) this.position = this.endOfBytes(what);
    else if (this.wire === Wire.fixed32) this.advance(4, what);
    else if (this.wire === Wire.fixed64) this.advance(8, what);
    else throw this.wrong(`${what} has wire type ${this.wire}, which is not supported`);
  }

  private endOfBytes(what: string): number {
    if (this.wire !== Wire.bytes) throw this.wrong(`${what} has wire type ${this.wire}; ${Wire.bytes} is needed`);
    const length = this.unsigned(`the length of ${what}`);
    if (length > this.limit - this.position) {
      throw this.wrong(`${what} says it has ${length} bytes, ${this.limit - this.position} are left`);
    }
    return this.position + length;
  }

  private advance(count: number, what: string): number {
    const from = this.position;
    if (count > this.limit - from) throw this.wrong(`${what} is cut`);
    this.position += count;
    return from;
  }

  private float(what: string): number {
    return this.view.getFloat32(this.advance(4, what), true);
  }

  private unsigned(what: string): number {
    const first = this.bytes[this.position] as number;
    if (first < 128 && this.position < this.limit) {
      this.position++;
      return first;
    }
    const {low, high} = this.varint(what);
    const value = low + high * 2 ** 32;
    if (!Number.isSafeInteger(value)) throw this.wrong(`${what} is ${hex(high, low)}, beyond 2^53 - 1`);
    return value;
  }

  private signed(what: string): number {
    const {low, high} = this.varint(what);
    const value = low + (high | 0) * 2 ** 32;
    if (!Number.isSafeInteger(value)) throw this.wrong(`${what} holds ${hex(high, low)}, beyond 2^53 - 1`);
    return value;
  }

  /** Seven bits a byte, the lowest first, at most ten bytes: two words. */
  private varint(what: string): {readonly low: number; readonly high: number} {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.view.getUint8(this.advance(1, what));
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (shift === 63 && byte > 1) break;
      if (byte < 128) return {low: low >>> 0, high: high >>> 0};
    }
    throw this.wrong(`${what} is a number of more than 64 bits`);
  }

  private wrong(what: string): Error {
    return this.fail(`${what} (byte ${this.position} of its data)`);
  }
}

function hex(high: number, low: number): string {
  return `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`;
}
