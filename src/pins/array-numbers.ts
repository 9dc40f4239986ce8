import {readArrayLayout} from '../core/array-header.ts';
import {isArray, isObject, type Json} from '../core/json.ts';
import type {Collector} from './collector.ts';

/** A stretch of a file that holds numbers of one type, or with no `read` what follows from the rest, such as checksums. */
interface Segment {
  /** Bytes of the file. */
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly read?: (view: DataView, at: number) => number;
}

/** Where the numbers of an array file lie, by what its first bytes say; what lies in no segment is part of the form. */
export type Layout = readonly Segment[];

/** Bytes of a file's beginning from which its layout is known, at most; more for a large header of safetensors. */
export const layoutBytes = 4096;

/** The one segment of an `.npy` file; none when it is no such file, or holds what is no number. */
export function npyLayout(head: Uint8Array, fileBytes: number): Layout {
  const found = readArrayLayout(head);
  const type = found && types(!found.bigEndian)[found.dtype];
  if (!found || !type) return [];
  const count = found.shape.reduce((product, size) => product * size, 1);
  return [{from: found.offset, to: Math.min(fileBytes, found.offset + count * type.size), ...type}];
}

/** Reads so many bytes of a file from a place on, fewer at its end. */
export type ReadAt = (at: number, bytes: number) => Promise<Uint8Array>;

/**
 * The arrays of an `.npz` file, as far as they are stored and not compressed; none when something in it is not as NumPy
 * writes it. Checksums and the directory at the end only repeat what is told before. Source: PKWARE's APPNOTE, 4.3.7.
 */
export async function npzLayout(read: ReadAt, fileBytes: number): Promise<Layout> {
  const segments: Segment[] = [];
  let at = 0;
  for (;;) {
    const head = await read(at, zipHeadBytes);
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const mark = head.length < 4 ? 0 : view.getUint32(0, true);
    if (mark === zipDirectory) return [...segments, {from: at, to: fileBytes, size: 1}];
    if (mark !== zipEntry || head.length < zipHeadBytes) return [];
    const [flags, method] = [view.getUint16(6, true), view.getUint16(8, true)];
    const size = view.getUint32(18, true);
    if (method !== 0 || (flags & 8) !== 0 || size === 0xffffffff) return [];
    segments.push({from: at, to: at + zipHeadBytes, size: 1});
    const from = at + zipHeadBytes + view.getUint16(26, true) + view.getUint16(28, true);
    at = from + size;
    if (at > fileBytes) return [];
    for (const part of npyLayout(await read(from, Math.min(size, layoutBytes)), size)) {
      segments.push({...part, from: from + part.from, to: from + part.to});
    }
  }
}

const zipHeadBytes = 30;
const [zipEntry, zipDirectory] = [0x04034b50, 0x02014b50];

/** Bytes that hold the whole header of a safetensors file; undefined when that is none. */
export function safetensorsHead(head: Uint8Array, fileBytes: number): number | undefined {
  if (head.length < 8) return undefined;
  const length = new DataView(head.buffer, head.byteOffset, head.byteLength).getBigUint64(0, true);
  return length > 0n && length <= 100_000_000n && Number(length) + 8 <= fileBytes ? Number(length) + 8 : undefined;
}

/** Source: the format description of huggingface/safetensors. @param head - the whole header */
export function safetensorsLayout(head: Uint8Array, fileBytes: number): Layout {
  let header: Json;
  try {
    header = JSON.parse(Buffer.from(head.buffer, head.byteOffset + 8, head.byteLength - 8).toString('utf8')) as Json;
  } catch {
    return [];
  }
  if (!isObject(header)) return [];
  const segments: Segment[] = [];
  for (const tensor of Object.values(header)) {
    if (!isObject(tensor)) continue;
    const {dtype, data_offsets: offsets} = tensor;
    const type = typeof dtype === 'string' ? types(true)[safetensorsTypes[dtype] ?? ''] : undefined;
    if (type === undefined || !isArray(offsets)) continue;
    const [from, to] = offsets.map((offset) => (typeof offset === 'number' ? offset + head.length : NaN));
    if (from === undefined || to === undefined || !(from >= head.length && from <= to && to <= fileBytes)) return [];
    segments.push({from, to, ...type});
  }
  segments.sort((a, b) => a.from - b.from);
  const apart = segments.every((segment, index) => index === 0 || segments[index - 1]!.to <= segment.from);
  return apart ? segments : [];
}

/**
 * Reads a file piece by piece from its beginning and gives the collector the numbers of its segments, in the order of the
 * file, and all other bytes as its form.
 */
export class ArrayNumbers {
  readonly #collector: Collector;
  readonly #layout: Layout;
  #segment = 0;
  /** Byte of the file that comes next. */
  #at = 0;
  #rest: Uint8Array = new Uint8Array();

  constructor(layout: Layout, collector: Collector) {
    this.#layout = layout;
    this.#collector = collector;
  }

  write(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = new Uint8Array();
    let done = 0;
    while (done < bytes.length) {
      const segment = this.#layout[this.#segment];
      const at = this.#at;
      if (segment === undefined || at < segment.from) {
        const end = Math.min(bytes.length, done + (segment === undefined ? Infinity : segment.from - at));
        this.#collector.form(bytes.subarray(done, end));
        this.#at += end - done;
        done = end;
        continue;
      }
      if (segment.read === undefined) {
        const passed = Math.min(bytes.length - done, segment.to - at);
        done += passed;
        this.#at += passed;
        if (this.#at >= segment.to) this.#segment++;
        continue;
      }
      const whole = Math.floor(Math.min(bytes.length - done, segment.to - at) / segment.size) * segment.size;
      const view = new DataView(bytes.buffer, bytes.byteOffset + done, whole);
      for (let offset = 0; offset < whole; offset += segment.size) this.#collector.number(segment.read(view, offset));
      done += whole;
      this.#at += whole;
      if (segment.to - this.#at < segment.size) {
        // A number that is cut short at the end of its segment is none.
        this.#segment++;
      } else if (done < bytes.length) {
        this.#rest = bytes.slice(done);
        return;
      }
    }
  }

  end(): void {
    this.#collector.form(this.#rest);
  }
}

type NumberType = Required<Pick<Segment, 'size' | 'read'>>;

/** Types whose numbers a double holds exactly; integers of 64 bits and truth values are compared by their bytes. */
function types(little: boolean): Readonly<Record<string, NumberType>> {
  return {
    float16: {size: 2, read: (view, at) => half(view.getUint16(at, little))},
    bfloat16: {size: 2, read: (view, at) => bfloat(view.getUint16(at, little))},
    float32: {size: 4, read: (view, at) => view.getFloat32(at, little)},
    float64: {size: 8, read: (view, at) => view.getFloat64(at, little)},
    int8: {size: 1, read: (view, at) => view.getInt8(at)},
    int16: {size: 2, read: (view, at) => view.getInt16(at, little)},
    int32: {size: 4, read: (view, at) => view.getInt32(at, little)},
    uint8: {size: 1, read: (view, at) => view.getUint8(at)},
    uint16: {size: 2, read: (view, at) => view.getUint16(at, little)},
    uint32: {size: 4, read: (view, at) => view.getUint32(at, little)},
  };
}

const safetensorsTypes: Readonly<Record<string, string>> = {
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
  I8: 'int8',
  I16: 'int16',
  I32: 'int32',
  U8: 'uint8',
  U16: 'uint16',
  U32: 'uint32',
};

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** The upper half of a float32. */
function bfloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}
