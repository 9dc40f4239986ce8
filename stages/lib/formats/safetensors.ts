import {closeSync, openSync, readFileSync, writeSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import type {NamedArray} from '../tensors/named-array.ts';

export interface SafeTensors {
  readonly tensors: ReadonlyMap<string, NamedArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes float32 tensors in the safetensors format: header length (uint64), JSON header padded to 8 bytes, then the values,
 * little endian, C order. Tensors and metadata are sorted by name, so that equal content gives equal bytes.
 * Source: the format description of huggingface/safetensors.
 */
export function writeSafeTensors(
  path: string,
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const sorted = [...tensors].sort(byName);
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0)
    header['__metadata__'] = Object.fromEntries(Object.entries(metadata).sort(byName));
  let end = 0;
  for (const [name, {shape, data}] of sorted) {
    if (data.length !== sizeOf(shape))
      throw new RangeError(`${name} has ${data.length} values for shape [${shape.join(', ')}]`);
    header[name] = {dtype: 'F32', shape, data_offsets: [end, end + data.byteLength]};
    end += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(path, 'w');
  try {
    for (const part of [length, padded]) writeAll(file, part);
    for (const [, {data}] of sorted) writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } finally {
    closeSync(file);
  }
}

/** Reads float32 tensors. `name` stands for the file in messages. Throws StageError for a damaged file or another type. */
export function readSafeTensors(path: string, name = 'the .safetensors file'): SafeTensors {
  const bytes = readFileSync(path);
  const broken = (what: string): StageError => new StageError(`${name} is not a usable .safetensors file: ${what}`);
  if (bytes.length < 8) throw broken(`it has ${bytes.length} bytes, less than a header`);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const start = 8 + headerBytes;
  if (start > bytes.length) throw broken(`the header should end at byte ${start}, the file ends at ${bytes.length}`);
  const header = parseHeader(bytes.toString('utf8', 8, start));
  if (header === undefined) throw broken('its header is not a JSON object');
  const tensors = new Map<string, NamedArray>();
  for (const [tensor, entry] of Object.entries(header)) {
    if (tensor === '__metadata__') continue;
    if (!isTensorEntry(entry)) throw broken(`the entry of ${tensor} lacks dtype, shape or data_offsets`);
    const {dtype, shape, data_offsets: offsets} = entry;
    if (dtype !== 'F32') throw broken(`${tensor} holds ${dtype} values; F32 is needed`);
    const [from, to] = offsets;
    if (from > to || start + to > bytes.length || to - from !== 4 * sizeOf(shape)) {
      throw broken(`the bytes of ${tensor} (${from} to ${to}) do not fit its shape [${shape.join(', ')}] or the file`);
    }
    // A copy: a float32 view must start at a multiple of 4 of its buffer.
    tensors.set(tensor, {
      shape,
      data: new Float32Array(new Uint8Array(bytes.subarray(start + from, start + to)).buffer),
    });
  }
  return {tensors, metadata: (header['__metadata__'] ?? {}) as Record<string, string>};
}

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function parseHeader(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isTensorEntry(value: unknown): value is TensorEntry {
  if (typeof value !== 'object' || value === null) return false;
  const {dtype, shape, data_offsets: offsets} = value as Record<string, unknown>;
  return typeof dtype === 'string' && isSizes(shape) && isSizes(offsets) && offsets.length === 2;
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}

/** One write may take less than all of a large array. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}
