import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import type {RecordPlace} from './bad-record.ts';
import {maskedCrc32c} from '../formats/crc32c.ts';

/** A record of a TFRecord file, or why it cannot be had. */
export type TfRecord = RecordPlace &
  (
    | {/** Valid until the next record is asked for. */ readonly data: Uint8Array}
    | {/** What is damaged. */ readonly broken: string}
  );

/**
 * Reads a TFRecord file record by record, with both checksums checked. A record is: length (uint64), masked CRC-32C of those
 * 8 bytes, data, masked CRC-32C of the data; all little endian. Damaged data costs one record; a damaged length, or
 * a file that ends too early, costs the rest of the file, as the record's `broken` says. Memory: one record and at most 1 MiB.
 * Source: tensorflow/core/lib/io/record_writer.h.
 */
export function* readTfRecords(path: string): Generator<TfRecord, void> {
  const file = openSync(path, 'r');
  try {
    yield* scan(new FileWindow(file));
  } finally {
    closeSync(file);
  }
}

const HEADER_BYTES = 12;
const CHECKSUM_BYTES = 4;
/** Far above any clip's; a length above it is damage that its checksum does not show, or another kind of file. */
const MOST_BYTES = 2 ** 26;
const WINDOW_BYTES = 2 ** 20;

function* scan(window: FileWindow): Generator<TfRecord, void> {
  for (let number = 1; window.position < window.size; number++) {
    const offset = window.position;
    const broken = (reason: string): TfRecord => ({number, offset, broken: reason});
    const rest = `; the rest of the file, ${window.size - offset} bytes, is lost`;
    const header = window.take(HEADER_BYTES);
    if (header.length < HEADER_BYTES) {
      yield broken(`the file ends ${header.length} bytes into its length`);
      return;
    }
    const length = lengthOf(header);
    const damage = mismatch(header.subarray(0, 8), word(header, 8));
    if (damage !== undefined) {
      yield broken(`its length is damaged (${damage})${rest}`);
      return;
    }
    const left = window.size - window.position;
    if (length > MOST_BYTES) {
      yield broken(`it says it has ${length} bytes; ${MOST_BYTES} is the most${rest}`);
      return;
    }
    if (length + CHECKSUM_BYTES > left) {
      yield broken(`the file is cut: the record needs ${length + CHECKSUM_BYTES} more bytes, ${left} are there`);
      return;
    }
    const body = window.take(length + CHECKSUM_BYTES);
    const data = body.subarray(0, length);
    const wrong = mismatch(data, word(body, length));
    yield wrong === undefined ? {number, offset, data} : broken(`its data is damaged (${wrong})`);
  }
}

/** Undefined when the masked checksum is that of the bytes. */
function mismatch(bytes: Uint8Array, stored: number): string | undefined {
  const computed = maskedCrc32c(bytes);
  return computed === stored ? undefined : `its checksum is ${hex(computed)}, the file says ${hex(stored)}`;
}

function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}

/** Exact up to 2^53, which is above all that is accepted. */
function lengthOf(header: Uint8Array): number {
  return word(header, 0) + word(header, 4) * 2 ** 32;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

/** A file read from start to end through one buffer. */
class FileWindow {
  readonly size: number;
  private readonly file: number;
  private buffer: Buffer;
  private start = 0;
  private end = 0;
  /** Byte of the file at which `buffer` starts. */
  private base = 0;

  constructor(file: number) {
    this.file = file;
    this.size = fstatSync(file).size;
    this.buffer = Buffer.allocUnsafeSlow(Math.min(this.size, WINDOW_BYTES));
  }

  get position(): number {
    return this.base + this.start;
  }

  /** The next `count` bytes, fewer at the end of the file; valid until the next call. */
  take(count: number): Uint8Array {
    if (this.end - this.start < count) this.refill(count);
    const taken = this.buffer.subarray(this.start, Math.min(this.start + count, this.end));
    this.start += taken.length;
    return taken;
  }

  private refill(count: number): void {
    const kept = this.buffer.subarray(this.start, this.end);
    const target = count > this.buffer.length ? Buffer.allocUnsafeSlow(count) : this.buffer;
    // Within one buffer this moves the bytes that are left to its start; `set` allows the overlap.
    target.set(kept);
    this.base += this.start;
    this.start = 0;
    this.end = kept.length;
    this.buffer = target;
    while (this.end < this.buffer.length) {
      const read = readSync(this.file, this.buffer, this.end, this.buffer.length - this.end, this.base + this.end);
      if (read === 0) return;
      this.end += read;
    }
  }
}
