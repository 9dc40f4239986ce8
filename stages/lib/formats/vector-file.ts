import {StageError} from 'mixdown/stage';
import {toFloat32, type FloatType} from './float-values.ts';
import {describeNpy} from './npy.ts';
import {openRandomFile, type RandomFile} from './random-file.ts';

/** A .npy file, which says what it holds, or values one after another without a header, little endian. */
export type VectorFormat = 'npy' | 'uint8' | 'float32';

/** Vectors that stay on the disk, by rows of one vector or of several. */
export interface VectorFile {
  readonly rows: number;
  /** Vectors of a row. */
  readonly vectors: number;
  /** Values of a vector. */
  readonly width: number;
  /** The values of `count` rows from row `first` on: bytes as they are, floats of any size as float32. */
  read(first: number, count: number): Uint8Array | Float32Array;
  close(): void;
}

/**
 * Opens an array of shape (rows, width), or (rows, vectors, width) as a .npy file may have; whatever happens, it must be
 * closed. `width` is what a vector must have, or 0 for any, which a file without a header leaves open. `name` stands for the
 * file in messages. Throws StageError for a file that holds something else.
 */
export function openVectorFile(path: string, format: VectorFormat, width: number, name: string): VectorFile {
  const file = openRandomFile(path, name);
  try {
    const {type, shape, start} = format === 'npy' ? npyLayout(file) : rawLayout(file, format, width);
    const [rows = 0, vectors = 1, own = 0] = shape.length === 2 ? [shape[0], 1, shape[1]] : shape;
    if (width > 0 && own !== width) {
      throw new StageError(`${name} hold vectors of ${own} values; the param width is ${width}`);
    }
    const rowBytes = vectors * own * ITEM_BYTES[type];
    if (rows * rowBytes !== file.size - start) {
      throw new StageError(
        `${name} have shape [${shape.join(', ')}], which needs ${rows * rowBytes} bytes; the file has ${file.size - start}`,
        'was it cut short?',
      );
    }
    if (rowBytes === 0) throw new StageError(`${name} have shape [${shape.join(', ')}]: there are no values in a row`);
    return {
      rows,
      vectors,
      width: own,
      read(first, count) {
        const bytes = file.read(start + first * rowBytes, count * rowBytes);
        return type === 'U8' ? bytes : toFloat32(type, bytes);
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

type ValueType = 'U8' | FloatType;

interface ArrayLayout {
  readonly type: ValueType;
  readonly shape: readonly number[];
  /** Byte of the first value. */
  readonly start: number;
}

const ITEM_BYTES: Readonly<Record<ValueType, number>> = {U8: 1, F16: 2, BF16: 2, F32: 4, F64: 8};

const NPY_TYPES: Readonly<Record<string, ValueType>> = {'|u1': 'U8', '<f2': 'F16', '<f4': 'F32', '<f8': 'F64'};

function npyLayout(file: RandomFile): ArrayLayout {
  const {name} = file;
  if (!startsAsNpy(file)) {
    throw new StageError(`${name} are no .npy file`, 'for values without a header set `format: uint8` or float32');
  }
  const head = file.read(0, Math.min(file.size, MOST_HEADER_BYTES));
  const {descriptor, fortranOrder, shape, start} = describeNpy(head, name);
  if (fortranOrder) {
    throw new StageError(`${name} lie in Fortran order`, 'save the array with numpy.ascontiguousarray');
  }
  const type = NPY_TYPES[descriptor];
  if (type === undefined) {
    throw new StageError(`${name} hold values of type ${descriptor}; uint8 or floats, little endian, are needed`);
  }
  if (shape.length !== 2 && shape.length !== 3) {
    throw new StageError(
      `${name} have shape [${shape.join(', ')}]; (clips, width) or (clips, vectors, width) is needed`,
    );
  }
  return {type, shape, start};
}

function rawLayout(file: RandomFile, format: 'uint8' | 'float32', width: number): ArrayLayout {
  const {name, size} = file;
  if (startsAsNpy(file)) throw new StageError(`${name} are a .npy file`, 'leave `format` out');
  if (width === 0) throw new StageError(`${name} have no header that tells their width`, 'set the param `width`');
  const type = format === 'uint8' ? 'U8' : 'F32';
  const vectorBytes = width * ITEM_BYTES[type];
  if (size % vectorBytes !== 0) {
    throw new StageError(
      `${name} have ${size} bytes, which is no whole number of vectors of ${width} ${format} values`,
      'see that `format` and `width` are those of the file, and that it was not cut short',
    );
  }
  return {type, shape: [size / vectorBytes, width], start: 0};
}

function startsAsNpy(file: RandomFile): boolean {
  return file.size >= 6 && Buffer.from(file.read(0, 6)).toString('latin1') === '\x93NUMPY';
}

/** The longest header that format 1.0 can have. */
const MOST_HEADER_BYTES = 2 ** 16 + 10;
