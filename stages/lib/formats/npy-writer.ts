import {appendFile} from './append-file.ts';
import {encodeNpyHeader, npyDescriptor, type NpyData} from './npy.ts';

/** Writes an array row by row when the number of rows is known only at the end. Memory: a part of a MiB. */
export interface NpyWriter<T> {
  /** Rows so far. */
  readonly rows: number;
  write(row: T): void;
  /** Puts the number of rows in the header and closes the file, which is then what `writeNpy` would have written. */
  close(): void;
}

/**
 * Starts a .npy file of rows of shape `rowShape`, of the type of `example`. Whatever happens, it must be closed.
 * The header has 128 bytes, which holds any number of rows for up to some five axes; more throw RangeError.
 */
export function npyWriter<T extends NpyData>(path: string, rowShape: readonly number[], example: T): NpyWriter<T> {
  const size = rowShape.reduce((product, axis) => product * axis, 1);
  const header = (rows: number): Uint8Array => {
    const bytes = encodeNpyHeader(npyDescriptor(example), [rows, ...rowShape]);
    if (bytes.length !== HEADER_BYTES) throw new RangeError(`rows of ${rowShape.length} axes need a longer header`);
    return bytes;
  };
  header(Number.MAX_SAFE_INTEGER);
  const file = appendFile(path);
  file.append(header(0));
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    write(row) {
      if (row.length !== size) throw new RangeError(`a row has ${row.length} values, not ${size}`);
      file.append(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
      rows++;
    },
    close() {
      file.close(header(rows));
    },
  };
}

const HEADER_BYTES = 128;
