import {lstatSync, mkdirSync, mkdtempSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Result} from '../../core/result.ts';
import {applyGc, planGc} from '../../store/gc.ts';
import {openStore, type Store} from '../../store/store.ts';

/** Beyond this, blobs that no task of the last hour has used are removed. */
const mostBytes = 20 * 1024 ** 3;
/** How often the size is looked at. */
const lookEveryMs = 600_000;

/**
 * A store for blobs on a compute node, which the tasks of one user there share. It holds nothing that is not in the remote
 * cache, or on its way there.
 *
 * @param base - `TMPDIR` or the like
 */
export function openScratch(base: string): Result<Store> {
  return openStore({dir: ownFolder(base), warn: () => {}, what: 'a job of a cluster'});
}

/** Keeps the scratch store bounded. Trouble is left to whoever needs room. */
export function sweepScratch(store: Store, now: number): void {
  const marker = join(store.dir, 'swept');
  const last = statSync(marker, {throwIfNoEntry: false});
  if (last && now - last.mtimeMs < lookEveryMs) return;
  try {
    writeFileSync(marker, '');
    let bytes = 0;
    for (const blob of store.blobs.list()) bytes += blob.bytes;
    if (bytes > mostBytes) applyGc(store, planGc(store, {nowMs: now, runsDirs: []}));
  } catch {
    // Another task may sweep at the same time.
  }
}

/** Everybody may write to the folder above, so what lies there under our name need not be ours. */
function ownFolder(base: string): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(base, `mixdown-${uid}`);
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const found = lstatSync(folder);
  const ours = found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0;
  return ours ? folder : mkdtempSync(`${folder}-`);
}
