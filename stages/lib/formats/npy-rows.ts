import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import {decodeNpyHeader} from './npy.ts';

/** Rows of an array that stays on the disk. */
export interface NpyRows<T extends Uint8Array | Float32Array = Uint8Array> {
  /** At least one axis; the first counts the rows. */
  readonly shape: readonly number[];
  /** Values of a row. */
  readonly width: number;
  /** Fills `into`, a whole number of rows, with row `first` and those after it. Throws RangeError beyond the last row. */
  read(first: number, into: T): void;
  close(): void;
}

/**
 * Opens a uint8 .npy file, of any size; it must be closed. `name` stands for the file in messages. Throws StageError for
 * another type or a damaged file.
 */
export function openNpyRows(path: string, name: string): NpyRows {
  return openRows<Uint8Array>(path, name, '|u1');
}

/** As openNpyRows, of float32. */
export function openFloat32Rows(path: string, name: string): NpyRows<Float32Array> {
  return openRows<Float32Array>(path, name, '<f4');
}

const TYPES = {'|u1': {name: 'uint8', bytes: 1}, '<f4': {name: 'float32', bytes: 4}} as const;

function openRows<T extends Uint8Array | Float32Array>(
  path: string,
  name: string,
  wanted: keyof typeof TYPES,
): NpyRows<T> {
  const type = TYPES[wanted];
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(MOST_HEADER_BYTES);
    const {size} = fstatSync(file);
    const {descriptor, shape, start} = decodeNpyHeader(head.subarray(0, readFully(file, head, 0)), size, name);
    const [rows, ...rowShape] = shape;
    if (descriptor !== wanted) throw new StageError(`${name} holds ${descriptor} values; ${type.name} is needed`);
    if (rows === undefined) throw new StageError(`${name} is a single value; rows are needed`);
    const width = rowShape.reduce((product, axis) => product * axis, 1);
    return {
      shape,
      width,
      read(first, into) {
        const from = first * width;
        if (from < 0 || from + into.length > rows * width) {
          throw new RangeError(`rows from ${first} on: ${into.length} values; there are ${rows} rows of ${width}`);
        }
        const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
        if (readFully(file, bytes, start + from * type.bytes) < bytes.length)
          throw new StageError(`${name} was cut while it was read`);
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The longest header that format 1.0 can have. */
const MOST_HEADER_BYTES = 2 ** 16 + 10;

/** One call may read less than was asked for. */
function readFully(file: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(file, into, done, into.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
