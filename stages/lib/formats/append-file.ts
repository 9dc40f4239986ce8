import {closeSync, openSync, writeSync} from 'node:fs';

/** A file written from start to end in large steps. */
export interface AppendFile {
  append(bytes: Uint8Array): void;
  /** Writes what is still held back, then `start` over the first bytes of the file when it is given, and closes the file. */
  close(start?: Uint8Array): void;
}

/** Starts a new file at `path`. Whatever happens, it must be closed. */
export function appendFile(path: string): AppendFile {
  const file = openSync(path, 'w');
  const held = Buffer.allocUnsafeSlow(HELD_BYTES);
  let count = 0;

  function flush(): void {
    writeAll(file, held.subarray(0, count));
    count = 0;
  }

  function append(bytes: Uint8Array): void {
    if (count + bytes.length > HELD_BYTES) flush();
    if (bytes.length > HELD_BYTES) {
      writeAll(file, bytes);
      return;
    }
    held.set(bytes, count);
    count += bytes.length;
  }

  function close(start?: Uint8Array): void {
    try {
      flush();
      if (start !== undefined) writeAll(file, start, 0);
    } finally {
      closeSync(file);
    }
  }

  return {append, close};
}

/** Closes all of them, also when one cannot be: what that throws is thrown at the end. */
export function closeAll(...files: readonly {close(): void}[]): void {
  const [first, ...others] = files;
  if (first === undefined) return;
  try {
    first.close();
  } finally {
    closeAll(...others);
  }
}

const HELD_BYTES = 2 ** 18;

/** One call may write less than it was given. */
function writeAll(file: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position === undefined ? null : position + done);
  }
}
