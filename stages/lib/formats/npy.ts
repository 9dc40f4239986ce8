import {readFileSync, writeFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';

export type NpyData = Float32Array | Float64Array | Uint8Array | Int32Array;

/** A dense array in C order: the last axis runs fastest. */
export interface NpyArray<T extends NpyData = NpyData> {
  readonly shape: readonly number[];
  readonly data: T;
}

/** What a values' type is called in a header: float32, float64, int32, uint8, little endian. */
export type NpyDescriptor = '<f4' | '<f8' | '<i4' | '|u1';

/**
 * NumPy's format 1.0: magic, version, header length, a Python dict padded with spaces so that the data starts at a
 * multiple of 64 bytes, then the values, little endian, C order. Source: the NumPy format description (NEP 1).
 */
export function encodeNpy({shape, data}: NpyArray): Uint8Array {
  if (sizeOf(shape) !== data.length) {
    throw new RangeError(`an array of shape ${shapeText(shape)} needs ${sizeOf(shape)} values, not ${data.length}`);
  }
  const header = encodeNpyHeader(npyDescriptor(data), shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/** What comes before the values: see `encodeNpy`. */
export function encodeNpyHeader(descriptor: NpyDescriptor, shape: readonly number[]): Uint8Array {
  const dict = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': ${shapeText(shape)}, }`;
  const headerBytes = Math.ceil((PREFIX_BYTES + dict.length + 1) / ALIGNMENT) * ALIGNMENT - PREFIX_BYTES;
  if (headerBytes > 0xffff) throw new RangeError(`a shape of ${shape.length} axes does not fit a format 1.0 header`);
  const bytes = new Uint8Array(PREFIX_BYTES + headerBytes);
  bytes.set(MAGIC);
  bytes.set([1, 0, headerBytes & 0xff, headerBytes >>> 8], MAGIC.length);
  bytes.set(Buffer.from(`${dict.padEnd(headerBytes - 1)}\n`, 'latin1'), PREFIX_BYTES);
  return bytes;
}

/**
 * Reads what `encodeNpy` writes, and what NumPy writes for float32, float64, uint8 and int32 in C order.
 * `name` stands for the file in messages. Throws StageError for any other content.
 */
export function decodeNpy(bytes: Uint8Array, name = 'the .npy file'): NpyArray {
  const {descriptor, shape, start} = decodeNpyHeader(bytes, bytes.length, name);
  // A typed array must start at a multiple of its item size, which a view into a Buffer need not do.
  const {buffer} = new Uint8Array(bytes.subarray(start));
  return {shape, data: viewOf(descriptor, buffer)};
}

/** What comes before the values, and where they start. */
export interface NpyHeader {
  readonly descriptor: NpyDescriptor;
  readonly shape: readonly number[];
  /** Byte of the first value. */
  readonly start: number;
}

/** What a file says of its values, whether they can be read here or not. */
export interface NpyDescription {
  /** NumPy's name of the type, such as `<f2`. */
  readonly descriptor: string;
  /** The first axis runs fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Byte of the first value. */
  readonly start: number;
}

/** As decodeNpy, of the first bytes of a file of `fileBytes` bytes; the header must lie in them. */
export function decodeNpyHeader(bytes: Uint8Array, fileBytes: number, name: string): NpyHeader {
  const {descriptor, fortranOrder, shape, start} = describeNpy(bytes, name);
  if (fortranOrder) throw broken(name, 'its values are in Fortran order; save it with numpy.ascontiguousarray');
  const count = sizeOf(shape);
  if (!isDescriptor(descriptor)) {
    throw broken(name, `dtype ${descriptor} is not supported, only <f4, <f8, |u1 and <i4`);
  }
  const wanted = count * ITEM_BYTES[descriptor];
  if (fileBytes - start !== wanted) {
    const needs = `shape ${shapeText(shape)} of ${descriptor} needs ${wanted} bytes`;
    throw broken(name, `${needs}, the file has ${fileBytes - start}`);
  }
  return {descriptor, shape, start};
}

/** Reads the header, which must lie in `bytes`. Throws StageError when there is none. */
export function describeNpy(bytes: Uint8Array, name: string): NpyDescription {
  if (bytes.length < PREFIX_BYTES) throw broken(name, `it has ${bytes.length} bytes, less than a header`);
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw broken(name, 'it does not start with the NumPy magic string');
  if (bytes[6] !== 1 || bytes[7] !== 0) throw broken(name, `format ${bytes[6]}.${bytes[7]} is not supported, only 1.0`);
  const start = PREFIX_BYTES + (bytes[8] ?? 0) + ((bytes[9] ?? 0) << 8);
  if (bytes.length < start) {
    throw broken(name, `the header should end at byte ${start}, the file ends at ${bytes.length}`);
  }
  const header = Buffer.from(bytes.subarray(PREFIX_BYTES, start)).toString('latin1');
  const descriptor = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const axes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descriptor === undefined || order === undefined || axes === undefined) {
    throw broken(name, 'the header lacks descr, fortran_order or shape');
  }
  const shape = axes
    .split(',')
    .filter((axis) => axis.trim() !== '')
    .map(Number);
  return {descriptor, fortranOrder: order === 'True', shape, start};
}

/** `name` stands for the file in messages: the path given to a stage says nothing. */
export function readNpy(path: string, name?: string): NpyArray {
  return decodeNpy(readFileSync(path), name);
}

/** As readNpy, and throws StageError when the values are not float32 or the number of axes is not `rank`. */
export function readFloat32(path: string, rank?: number, name = 'the .npy file'): NpyArray<Float32Array> {
  const {shape, data} = readNpy(path, name);
  if (!(data instanceof Float32Array)) throw wrongType(name, data, 'float32');
  checkRank(name, shape, rank);
  return {shape, data};
}

/** As readNpy, and throws StageError when the values are not uint8 or the number of axes is not `rank`. */
export function readUint8(path: string, rank?: number, name = 'the .npy file'): NpyArray<Uint8Array> {
  const {shape, data} = readNpy(path, name);
  if (!(data instanceof Uint8Array)) throw wrongType(name, data, 'uint8');
  checkRank(name, shape, rank);
  return {shape, data};
}

export function writeNpy(path: string, array: NpyArray): void {
  writeFileSync(path, encodeNpy(array));
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
const PREFIX_BYTES = 10;
const ALIGNMENT = 64;
const ITEM_BYTES = {'<f4': 4, '<f8': 8, '|u1': 1, '<i4': 4} as const;

function broken(name: string, what: string): StageError {
  return new StageError(`${name} is not a usable .npy file: ${what}`);
}

function isDescriptor(text: string): text is NpyDescriptor {
  return Object.hasOwn(ITEM_BYTES, text);
}

/** How a header calls the values' type. */
export function npyDescriptor(data: NpyData): NpyDescriptor {
  if (data instanceof Float32Array) return '<f4';
  if (data instanceof Float64Array) return '<f8';
  if (data instanceof Int32Array) return '<i4';
  return '|u1';
}

function viewOf(descriptor: NpyDescriptor, buffer: ArrayBuffer): NpyData {
  if (descriptor === '<f4') return new Float32Array(buffer);
  if (descriptor === '<f8') return new Float64Array(buffer);
  if (descriptor === '<i4') return new Int32Array(buffer);
  return new Uint8Array(buffer);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

/** As Python prints a tuple: `()`, `(3,)`, `(3, 4)`. */
function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

function wrongType(name: string, data: NpyData, wanted: string): StageError {
  return new StageError(`${name} holds ${npyDescriptor(data)} values; ${wanted} is needed`);
}

function checkRank(name: string, shape: readonly number[], rank: number | undefined): void {
  if (rank !== undefined && shape.length !== rank) {
    throw new StageError(`${name} has shape ${shapeText(shape)}; ${rank} axes are needed`);
  }
}
