import {lstatSync, mkdirSync, mkdtempSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {removeTree} from '../../exec/remove-tree.ts';
import {applyGc, planGc} from '../../store/gc.ts';
import {openStore, type Store} from '../../store/store.ts';

/** Beyond this, blobs that no task of the last hour has used are removed. */
const mostBytes = 20 * 1024 ** 3;
/** How often the size is looked at. */
const lookEveryMs = 600_000;

/** A store for blobs on a compute node. It holds nothing that is not in the remote cache, or on its way there. */
export interface Scratch {
  readonly store: Store;
  /** Of this task alone: no other finds it. */
  readonly passing: boolean;
}

/**
 * The store that the tasks of one user on a compute node share; one of its own where somebody else took its name.
 *
 * @param base - `TMPDIR` or the like
 */
export function openScratch(base: string): Result<Scratch> {
  const uid = process.getuid?.() ?? 0;
  const folder = join(base, `mixdown-${uid}`);
  try {
    mkdirSync(base, {recursive: true});
    const passing = !isOurs(folder, uid);
    const dir = passing ? mkdtempSync(`${folder}-`) : folder;
    const opened = openStore({dir, warn: () => {}, what: 'a job of a cluster'});
    return opened.ok ? ok({store: opened.value, passing}) : opened;
  } catch (error) {
    return err([failure('cache-unwritable', `there is no place for files in ${base}: ${(error as Error).message}`)]);
  }
}

/** Ends the use of the store. Trouble is left to whoever needs room. */
export async function closeScratch({store, passing}: Scratch, now: number): Promise<void> {
  if (!passing) sweep(store, now);
  store.close();
  if (passing) await removeTree(store.dir);
}

function sweep(store: Store, now: number): void {
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
function isOurs(folder: string, uid: number): boolean {
  try {
    mkdirSync(folder, {mode: 0o700});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(folder);
  return found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0;
}
