import {createHash, type Hash} from 'node:crypto';
import {closeSync, openSync, readSync} from 'node:fs';
import {open} from 'node:fs/promises';
import type {Digest, Sha256} from '../core/digest.ts';

/** Large enough that the per-call cost vanishes, small enough to stay in the processor's cache. */
const chunkBytes = 1 << 20;
/** Below this, reading in this thread is faster than a round trip through the thread pool. */
const smallBytes = 256 << 10;

/** Digest of a file's content, whole. Blocks: for small files and rare repairs. */
export function hashFileSync(path: string, sizeHint = chunkBytes): Digest {
  const fd = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(4096, sizeHint + 1)));
    let size = 0;
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.byteLength, null);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      size += count;
    }
    return {hash: finish(hash), size};
  } finally {
    closeSync(fd);
  }
}

/** Digest of a file's content. The next chunk is read while the last one is hashed. */
export async function hashFile(path: string, sizeHint = Infinity, signal?: AbortSignal): Promise<Digest> {
  if (sizeHint <= smallBytes) return hashFileSync(path, sizeHint);
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    let current = Buffer.allocUnsafe(chunkBytes);
    let other = Buffer.allocUnsafe(chunkBytes);
    let size = 0;
    let count = (await file.read(current, 0, chunkBytes)).bytesRead;
    while (count > 0) {
      signal?.throwIfAborted();
      const reading = file.read(other, 0, chunkBytes);
      hash.update(current.subarray(0, count));
      size += count;
      count = (await reading).bytesRead;
      [current, other] = [other, current];
    }
    return {hash: finish(hash), size};
  } finally {
    await file.close();
  }
}

function finish(hash: Hash): Sha256 {
  return hash.digest('hex') as Sha256;
}
