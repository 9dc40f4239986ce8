import {readFileSync} from 'node:fs';
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
    for (const name of namesIn(join(submissions, folder))) {
      if (!name.endsWith('.json')) continue;
      for (const [hash] of textOf(join(submissions, folder, name)).matchAll(/\b[0-9a-f]{64}\b/g))
        found.add(hash as Sha256);
    }
  }
  return found;
}

/** Empty for a file that is gone by now, with its submission. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
