import {closeSync, openSync, writeSync} from 'node:fs';
import {encodeNpyHeader, npyDescriptor, type NpyArray, type NpyDescriptor} from './npy.ts';

/**
 * Writes one .npy out of parts (n, ...) of one type that agree in all axes but the first, one part in memory at a time: the
 * same bytes as `writeNpy` of all of them. At least one part. Returns the length of the first axis.
 */
export function writeNpyParts(path: string, parts: Iterable<NpyArray>): number {
  const file = openSync(path, 'w');
  try {
    let rows = 0;
    let kind: {readonly descriptor: NpyDescriptor; readonly row: readonly number[]} | undefined;
    for (const {shape, data} of parts) {
      const [count = 0, ...row] = shape;
      const descriptor = npyDescriptor(data);
      kind ??= {descriptor, row};
      if (descriptor !== kind.descriptor || row.join() !== kind.row.join()) {
        throw new RangeError(
          `a part of ${descriptor} [n, ${row.join(', ')}] among ones of ${kind.descriptor} [n, ${kind.row.join(', ')}]`,
        );
      }
      // The header is written last, when the number of rows is known; its padding leaves room for any.
      if (rows === 0) writeAll(file, encodeNpyHeader(descriptor, shape));
      writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      rows += count;
    }
    if (kind === undefined) throw new RangeError('an array of no parts');
    writeAll(file, encodeNpyHeader(kind.descriptor, [rows, ...kind.row]), 0);
    return rows;
  } finally {
    closeSync(file);
  }
}

/** One write may take less than all of a large array. */
function writeAll(file: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position === undefined ? null : position + done);
  }
}
