import {closeSync, openSync, readFileSync, readSync, renameSync, statSync, unlinkSync} from 'node:fs';
import {isSha256, type Sha256} from '../core/digest.ts';
import {namesIn, withFolder, type TempNames} from './atomic-file.ts';
import {damaged} from './cas.ts';
import {hashFile} from './hash-file.ts';
import {isMissing} from './io-failure.ts';
import {blobPath} from './layout.ts';
import type {Quarantine} from './quarantine.ts';
import {isSealed, seal} from './seal.ts';

/** One blob, without its content. */
export interface BlobInfo {
  readonly hash: Sha256;
  readonly bytes: number;
  /** Last put or use, to a quarter of an hour; later when in doubt. Milliseconds since the epoch. */
  readonly usedAtMs: number;
}

/** What gc and verify need besides. */
export interface CasAdmin {
  list(): IterableIterator<BlobInfo>;
  /** Size of the blob, or undefined when it is not there. Looks at nothing else. */
  sizeOf(hash: Sha256): number | undefined;
  /** The bytes, unverified and without counting as a use; undefined when missing or unreadable. */
  peek(hash: Sha256): Buffer | undefined;
  /** The first bytes, likewise. */
  head(hash: Sha256, bytes: number): Buffer | undefined;
  /** Hashes the blob; quarantines it when damaged. */
  check(hash: Sha256, signal?: AbortSignal): Promise<'whole' | 'damaged' | 'gone'>;
  /** Removes the blob unless it was used at or after `sinceMs`. True when removed. */
  discard(hash: Sha256, sinceMs: number): boolean;
}

export function createBlobAdmin(dir: string, temps: TempNames, quarantine: Quarantine): CasAdmin {
  return {
    *list() {
      for (const shard of namesIn(dir)) {
        for (const hash of namesIn(`${dir}/${shard}`)) {
          if (!isSha256(hash)) continue;
          const stat = statSync(`${dir}/${shard}/${hash}`, {throwIfNoEntry: false});
          if (stat) yield {hash, bytes: stat.size, usedAtMs: Math.max(stat.atimeMs, stat.ctimeMs)};
        }
      }
    },
    sizeOf: (hash) => statSync(blobPath(dir, hash), {throwIfNoEntry: false})?.size,
    peek: (hash) => tryRead(() => readFileSync(blobPath(dir, hash))),
    head: (hash, bytes) =>
      tryRead(() => {
        const fd = openSync(blobPath(dir, hash), 'r');
        try {
          const buffer = Buffer.alloc(bytes);
          return buffer.subarray(0, readSync(fd, buffer, 0, bytes, 0));
        } finally {
          closeSync(fd);
        }
      }),
    async check(hash, signal) {
      const path = blobPath(dir, hash);
      let whole = false;
      let sealed = false;
      try {
        const before = statSync(path);
        sealed = isSealed(before);
        whole = (await hashFile(path, before.size, signal)).hash === hash;
      } catch (error) {
        signal?.throwIfAborted();
        if (isMissing(error)) return 'gone';
      }
      if (!whole) {
        quarantine.put(path, hash, damaged(hash));
        return 'damaged';
      }
      if (!sealed) resealQuietly(path);
      return 'whole';
    },
    discard(hash, sinceMs) {
      const path = blobPath(dir, hash);
      const stat = statSync(path, {throwIfNoEntry: false});
      if (stat === undefined || Math.max(stat.atimeMs, stat.ctimeMs) >= sinceMs) return false;
      // Taken aside first: a use that came between the look and the removal has moved the time, and gets its blob back.
      const aside = temps.next();
      withFolder(aside, () => renameSync(path, aside));
      if (statSync(aside).atimeMs >= sinceMs) {
        renameSync(aside, path);
        return false;
      }
      unlinkSync(aside);
      return true;
    },
  };
}

function resealQuietly(path: string): void {
  try {
    seal(path, Date.now());
  } catch {
    // Somebody else's blob, or a read-only store: it is hashed again when it is used.
  }
}

function tryRead(read: () => Buffer): Buffer | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
