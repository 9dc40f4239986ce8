import {StageError} from 'mixdown/stage';
import {WireReader} from '../formats/wire-reader.ts';
import type {FloatType} from '../formats/float-values.ts';
import type {Extent} from './slices.ts';

/** A reader of a protobuf message whose failures name the file. */
export function messageReader(bytes: Uint8Array, name: string): WireReader {
  return new WireReader(bytes, (message) => new StageError(`${name} is damaged: ${message}`));
}

/** A TensorShapeProto; the reader is at its field. */
export function readShape(reader: WireReader, what: string): readonly number[] {
  const shape: number[] = [];
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 2) shape.push(readDimension(reader, what));
    else reader.skip();
  }
  reader.leave(outer);
  return shape;
}

function readDimension(reader: WireReader, what: string): number {
  let size = 0;
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 1) size = reader.integer(what);
    else reader.skip();
  }
  reader.leave(outer);
  return size;
}

/** A TensorSliceProto; the reader is at its field. A length that is missing or -1 takes the whole axis. */
export function readSlice(reader: WireReader, what: string): readonly Extent[] {
  const extents: Extent[] = [];
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 1) extents.push(readExtent(reader, what));
    else reader.skip();
  }
  reader.leave(outer);
  return extents;
}

function readExtent(reader: WireReader, what: string): Extent {
  let [start, length] = [0, -1];
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 1) start = reader.integer(what);
    else if (reader.field === 2) length = reader.integer(what);
    else reader.skip();
  }
  reader.leave(outer);
  return length < 0 ? 'all' : {start, length};
}

/**
 * Throws StageError when the VersionDef at the reader says that its file needs a reader above `version`.
 */
export function checkVersion(reader: WireReader, version: number, name: string): void {
  let needed = 0;
  const outer = reader.enter('the version');
  while (reader.next()) {
    if (reader.field === 2) needed = reader.integer('the version');
    else reader.skip();
  }
  reader.leave(outer);
  if (needed <= version) return;
  throw new StageError(`${name} needs a reader of version ${needed} of its format; this one is of version ${version}`);
}

/** Undefined for a type that is no floating-point number. */
export function floatType(type: number): FloatType | undefined {
  return FLOAT_TYPES.get(type);
}

/** As TensorFlow calls it. */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `type ${type}`;
}

/** Numbers of tensorflow.DataType. */
const FLOAT_TYPES: ReadonlyMap<number, FloatType> = new Map([
  [1, 'F32'],
  [2, 'F64'],
  [14, 'BF16'],
  [19, 'F16'],
]);

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'float32'],
  [2, 'float64'],
  [3, 'int32'],
  [4, 'uint8'],
  [5, 'int16'],
  [6, 'int8'],
  [7, 'string'],
  [8, 'complex64'],
  [9, 'int64'],
  [10, 'bool'],
  [14, 'bfloat16'],
  [19, 'float16'],
]);
