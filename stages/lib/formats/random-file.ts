import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {StageError} from 'mixdown/stage';

/** A file read at any place. */
export interface RandomFile {
  /** Stands for the file in messages. */
  readonly name: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /** `length` bytes from `offset`, in a buffer of their own. Throws StageError when the file does not have them. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

/** Opens a file for reading. Whatever happens, it must be closed. Nothing is allocated for bytes that are not there. */
export function openRandomFile(path: string, name: string): RandomFile {
  const file = openSync(path, 'r');
  const {size} = fstatSync(file);
  return {
    name,
    size,
    read(offset, length) {
      if (!isCount(offset) || !isCount(length) || length > size - offset) {
        throw new StageError(
          `${name} is damaged or cut short: it has ${size} bytes, and says that ${length} lie at byte ${offset}`,
        );
      }
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const read = readSync(file, bytes, done, Math.min(length - done, MOST_AT_ONCE), offset + done);
        if (read === 0) throw new StageError(`${name} became shorter while it was read`);
        done += read;
      }
      return bytes;
    },
    close: () => closeSync(file),
  };
}

/** The system reads less than 2 GiB in one call. */
const MOST_AT_ONCE = 2 ** 30;

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
