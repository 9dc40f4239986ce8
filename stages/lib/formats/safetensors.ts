import {closeSync, openSync, writeSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import type {NamedArray} from '../tensors/named-array.ts';
import {openRandomFile, type RandomFile} from './random-file.ts';

export interface SafeTensors {
  readonly tensors: ReadonlyMap<string, NamedArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where a tensor's values lie in a file, little endian, in C order. */
export interface SafeTensorsEntry {
  /** Type of the values in the format's words: `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** Writes the tensors of a file one after the other: only one of them need be in memory. */
export interface SafeTensorsWriter {
  /** The tensors in the order in which they must be written. */
  readonly names: readonly string[];
  /** Throws RangeError when it is not the next one's turn or size. */
  write(name: string, data: Float32Array): void;
  /** The file is whole when each name was written. */
  close(): void;
}

/**
 * Starts a file of float32 tensors in the safetensors format: header length (uint64), JSON header padded to 8 bytes, then the
 * values, little endian, C order. Tensors and metadata are sorted by name, so that equal content gives equal bytes. Whatever
 * happens, it must be closed. Source: the format description of huggingface/safetensors.
 */
export function safeTensorsWriter(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  metadata: Readonly<Record<string, string>> = {},
): SafeTensorsWriter {
  const names = [...shapes.keys()].sort();
  const sizes = names.map((name) => sizeOf(shapes.get(name) ?? []));
  const file = openSync(path, 'w');
  let next = 0;
  try {
    writeHeader(file, names, shapes, metadata);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return {
    names,
    write(name, data) {
      if (name !== names[next] || data.length !== sizes[next]) {
        throw new RangeError(`${data.length} values of ${name} come where ${sizes[next]} of ${names[next]} should`);
      }
      next++;
      writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    },
    close: () => closeSync(file),
  };
}

/** Writes float32 tensors in the safetensors format, as `safeTensorsWriter` does. */
export function writeSafeTensors(
  path: string,
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  for (const [name, {shape, data}] of tensors) {
    if (data.length !== sizeOf(shape)) {
      throw new RangeError(`${name} has ${data.length} values for shape [${shape.join(', ')}]`);
    }
  }
  const writer = safeTensorsWriter(path, new Map([...tensors].map(([name, {shape}]) => [name, shape])), metadata);
  try {
    for (const name of writer.names) writer.write(name, tensors.get(name)?.data ?? new Float32Array(0));
  } finally {
    writer.close();
  }
}

/** Reads float32 tensors. `name` stands for the file in messages. Throws StageError for a damaged file or another type. */
export function readSafeTensors(path: string, name = 'the .safetensors file'): SafeTensors {
  const file = openRandomFile(path, name);
  try {
    const {entries, metadata} = safeTensorsEntries(file);
    const tensors = new Map<string, NamedArray>();
    for (const [tensor, {dtype, shape, offset, bytes}] of entries) {
      if (dtype !== 'F32') throw broken(name, `${tensor} holds ${dtype} values; F32 is needed`);
      if (bytes !== 4 * sizeOf(shape)) throw misfit(name, tensor, offset, bytes, shape);
      tensors.set(tensor, {shape, data: new Float32Array(file.read(offset, bytes).buffer)});
    }
    return {tensors, metadata};
  } finally {
    file.close();
  }
}

/** What lies in a file, of any type. The values of each entry lie in the file; their number is not checked against the shape. */
export function safeTensorsEntries(file: RandomFile): {
  readonly entries: ReadonlyMap<string, SafeTensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const {name, size} = file;
  if (size < 8) throw broken(name, `it has ${size} bytes, less than a header`);
  const headerBytes = Number(new DataView(file.read(0, 8).buffer).getBigUint64(0, true));
  const start = 8 + headerBytes;
  if (start > size) throw broken(name, `the header should end at byte ${start}, the file ends at ${size}`);
  const header = parseHeader(Buffer.from(file.read(8, headerBytes).buffer).toString());
  if (header === undefined) throw broken(name, 'its header is not a JSON object');
  const entries = new Map<string, SafeTensorsEntry>();
  for (const [tensor, entry] of Object.entries(header)) {
    if (tensor === '__metadata__') continue;
    if (!isTensorEntry(entry)) throw broken(name, `the entry of ${tensor} lacks dtype, shape or data_offsets`);
    const {dtype, shape, data_offsets: offsets} = entry;
    const [from, to] = offsets;
    if (from > to || start + to > size) throw misfit(name, tensor, start + from, to - from, shape);
    entries.set(tensor, {dtype, shape, offset: start + from, bytes: to - from});
  }
  return {entries, metadata: (header['__metadata__'] ?? {}) as Record<string, string>};
}

function writeHeader(
  file: number,
  names: readonly string[],
  shapes: ReadonlyMap<string, readonly number[]>,
  metadata: Readonly<Record<string, string>>,
): void {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) {
    header['__metadata__'] = Object.fromEntries(Object.entries(metadata).sort(byName));
  }
  let end = 0;
  for (const name of names) {
    const shape = shapes.get(name) ?? [];
    const bytes = 4 * sizeOf(shape);
    header[name] = {dtype: 'F32', shape, data_offsets: [end, end + bytes]};
    end += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  for (const part of [length, padded]) writeAll(file, part);
}

function broken(name: string, what: string): StageError {
  return new StageError(`${name} is not a usable .safetensors file: ${what}`);
}

function misfit(name: string, tensor: string, offset: number, bytes: number, shape: readonly number[]): StageError {
  return broken(
    name,
    `the bytes of ${tensor} (${bytes} from byte ${offset}) do not fit its shape [${shape.join(', ')}] or the file`,
  );
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
