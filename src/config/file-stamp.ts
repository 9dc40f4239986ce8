import {statSync} from 'node:fs';

/** What tells, without reading it, that a file may have changed: size, inode, times in nanoseconds. */
export type FileStamp = readonly [size: string, inode: string, mtimeNs: string, ctimeNs: string];

/** Undefined when there is no such file, or none that can be reached. */
export function fileStamp(path: string): FileStamp | undefined {
  try {
    const found = statSync(path, {bigint: true});
    return [String(found.size), String(found.ino), String(found.mtimeNs), String(found.ctimeNs)];
  } catch {
    return undefined;
  }
}

export function sameStamp(a: FileStamp | undefined, b: FileStamp | undefined): boolean {
  if (!a || !b) return a === b;
  return a.every((part, index) => part === b[index]);
}

/** A file that changed this shortly before it was read may change again without a new time. */
const settleNs = 2_000_000_000n;

/** Whether an equal stamp proves equal content for a file that was read at `checkedNs` (file system time). */
export function isSettled([, , mtimeNs, ctimeNs]: FileStamp, checkedNs: string): boolean {
  const latest = BigInt(mtimeNs) > BigInt(ctimeNs) ? BigInt(mtimeNs) : BigInt(ctimeNs);
  return BigInt(checkedNs) - latest >= settleNs;
}
