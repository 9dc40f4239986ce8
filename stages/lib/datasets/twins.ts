import {createHash} from 'node:crypto';
import {closeSync, openSync, readSync} from 'node:fs';
import type {TreeFile} from 'mixdown/stage';
import {groupBy} from '../group-by.ts';

/**
 * Sets of files with the same bytes, each set in the order given. Only files of equal size are read, and whole only those
 * whose middles are equal too. A file without samples (`LEAST_BYTES` or less) is nobody's twin: that is a bad clip.
 * Throws the signal's reason when it is aborted.
 */
export function findTwins(files: readonly TreeFile[], signal: AbortSignal): readonly (readonly TreeFile[])[] {
  const large = files.filter(({size}) => size > LEAST_BYTES);
  const bySize = several(groupBy(large, ({size}) => size));
  const byMiddle = bySize.flatMap((same) => several(groupBy(same, (file) => hashOf(file, middleOf(file), signal))));
  return byMiddle.flatMap((same) => several(groupBy(same, (file) => hashOf(file, {start: 0, end: file.size}, signal))));
}

/** A WAV header without samples. */
const LEAST_BYTES = 44;
const MIDDLE_BYTES = 4096;
const CHUNK_BYTES = 1 << 20;

function several<K>(groups: ReadonlyMap<K, readonly TreeFile[]>): readonly (readonly TreeFile[])[] {
  return [...groups.values()].filter((files) => files.length > 1);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function middleOf({size}: TreeFile): Span {
  const start = Math.max(0, Math.floor((size - MIDDLE_BYTES) / 2));
  return {start, end: Math.min(size, start + MIDDLE_BYTES)};
}

function hashOf({file}: TreeFile, {start, end}: Span, signal: AbortSignal): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - start));
  const handle = openSync(file, 'r');
  try {
    for (let position = start; position < end;) {
      signal.throwIfAborted();
      const read = readSync(handle, chunk, 0, Math.min(chunk.length, end - position), position);
      // Cut off since the folder was listed: what is there still says whether two files are alike.
      if (read === 0) break;
      hash.update(chunk.subarray(0, read));
      position += read;
    }
  } finally {
    closeSync(handle);
  }
  return hash.digest('hex');
}
