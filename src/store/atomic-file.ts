import {closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import {isMissing} from './io-failure.ts';

/**
 * Names for temporary files: `<pid>-<nonce>-<count>`, so that what a killed process left behind can be recognised. The
 * folder must lie on the file system of the files that are renamed out of it.
 */
export interface TempNames {
  readonly dir: string;
  next(): string;
}

/** @param nonce - unique to this process, also among processes that had the same pid before */
export function tempNames(dir: string, nonce: string): TempNames {
  let count = 0;
  return {dir, next: () => `${dir}/${process.pid}-${nonce}-${count++}`};
}

/** Runs a write; when a folder on the way is missing, makes it and runs the write again. */
export function withFolder<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!isMissing(error)) throw error;
    mkdirSync(dirname(path), {recursive: true});
    return write();
  }
}

/**
 * Puts a whole file in place at once: readers see the old content or the new, never a part. Not flushed to the disk:
 * after a power failure the file may be empty or old, which every reader of the store's files expects.
 *
 * @param written - called with the path of the whole file before it is put in place
 */
export function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  temps: TempNames,
  written?: (temp: string) => void,
): void {
  const temp = temps.next();
  try {
    withFolder(temp, () => writeNew(temp, bytes));
    written?.(temp);
    withFolder(path, () => renameSync(temp, path));
  } catch (error) {
    rmSync(temp, {force: true});
    throw error;
  }
}

/** Creates a file that must not exist and writes all of it: `writeSync` may stop short on a nearly full disk. */
export function writeNew(path: string, bytes: Uint8Array | string, mode = 0o644): void {
  const data = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  const fd = openSync(path, 'wx', mode);
  try {
    writeAll(fd, data);
  } finally {
    closeSync(fd);
  }
}

export function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.byteLength;) at += writeSync(fd, data, at, data.byteLength - at);
}

/** Names in a folder; none when it does not exist. */
export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
