import {chmodSync, utimesSync, type Stats} from 'node:fs';

/** 2001-01-01T00:00:00Z. Any write to a blob moves its modification time away from here, so one stat shows damage. */
export const sealMs = 978_307_200_000;

/**
 * How old the last-use time of a blob or record may get before a use renews it. Small against the time that gc leaves
 * to blobs in use, large enough that a build with nothing to do writes next to nothing.
 */
export const touchEveryMs = 15 * 60_000;

/**
 * Marks a file as a finished blob: read-only, with the sealed modification time. The access time is the time of last
 * use; reading only moves it forward.
 */
export function seal(path: string, nowMs: number): void {
  chmodSync(path, 0o444);
  utimesSync(path, nowMs / 1000, sealMs / 1000);
}

export function isSealed(stat: Stats): boolean {
  return stat.mtimeMs === sealMs;
}

/** Renews the time of last use. @throws file system errors: the file may be gone, or belong to somebody else */
export function touchBlob(path: string, nowMs: number): void {
  utimesSync(path, nowMs / 1000, sealMs / 1000);
}
