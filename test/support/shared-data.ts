import {existsSync} from 'node:fs';
import {join} from 'node:path';

/**
 * A file or folder of the real data that does not belong to the repository: in `$MIXDOWN_DATA`, or in `shared/data` beside
 * the checkout. Undefined where it is absent; tests that need it are skipped then.
 */
export function sharedData(path: string): string | undefined {
  const root = process.env['MIXDOWN_DATA'] ?? join(import.meta.dirname, '../../../shared/data');
  const full = join(root, path);
  return existsSync(full) ? full : undefined;
}
