import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Sha256} from '../core/digest.ts';
import {namesIn} from './atomic-file.ts';

/**
 * Blobs that orders to a cluster name, as paths or digests. The jobs may read them yet: they outlive the process that
 * submitted them, and so its session.
 *
 * @param submissions - folder with a folder for each submission
 */
export function submittedBlobs(submissions: string): ReadonlySet<Sha256> {
  const found = new Set<Sha256>();
  for (const folder of namesIn(submissions)) {
    for (const text of orders(join(submissions, folder))) {
      for (const [hash] of text.matchAll(/\b[0-9a-f]{64}\b/g)) found.add(hash as Sha256);
    }
  }
  return found;
}

function orders(folder: string): readonly string[] {
  const names = readable(() => readdirSync(folder)) ?? [];
  return names.flatMap((name) =>
    name.endsWith('.json') ? (readable(() => readFileSync(join(folder, name), 'utf8')) ?? []) : [],
  );
}

/** Undefined for what is gone by now, with its submission. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
