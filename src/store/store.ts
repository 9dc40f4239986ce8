import {mkdirSync, statSync} from 'node:fs';
import {resolve} from 'node:path';
import type {Sha256} from '../core/digest.ts';
import {failure} from '../core/failure.ts';
import type {ActionCache, Cas, Checkpoints, Distrust, Locks} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import {createActionCache, type ActionAdmin} from './action-cache.ts';
import {tempNames} from './atomic-file.ts';
import {createBlobAdmin, type CasAdmin} from './blob-admin.ts';
import {createCas} from './cas.ts';
import {createCheckpoints} from './checkpoints.ts';
import {createDistrust, type DistrustAdmin} from './distrusted.ts';
import {writeFailure, type Warn} from './io-failure.ts';
import {storeLayout, type StoreLayout} from './layout.ts';
import {createLocks} from './locks.ts';
import {createMaterialiser, type Materialiser} from './materialise.ts';
import {takePartial, type PartialFile} from './partials.ts';
import {createQuarantine, type Quarantine} from './quarantine.ts';
import {createSession, newNonce, type SessionRecord} from './session.ts';

/** Bytes at rest: everything under one `cache/` folder that results are kept in. */
export interface Store {
  /** Absolute. */
  readonly dir: string;
  readonly layout: StoreLayout;
  readonly cas: Cas;
  readonly blobs: CasAdmin;
  readonly actions: ActionCache & ActionAdmin;
  readonly locks: Locks;
  readonly checkpoints: Checkpoints;
  readonly distrust: Distrust & DistrustAdmin;
  readonly files: Materialiser;
  readonly quarantine: Quarantine;
  /** The file in which a blob with this hash arrives from elsewhere. */
  readonly takePartial: (hash: Sha256) => PartialFile;
  /** How this process is known to others. */
  readonly session: SessionRecord;
  /** Gives back all locks and leaves the store. Happens by itself when the process exits. */
  close(): void;
}

export interface StoreOptions {
  /** Made when missing, its parents too. */
  readonly dir: string;
  readonly warn: Warn;
  /** For people who wait for a lock: what this process does, such as `run 20250301-101500-3e7ab`. */
  readonly what: string;
}

/** Opens a store. Costs well under a millisecond: folders are made when something is written into them. */
export function openStore(options: StoreOptions): Result<Store> {
  const dir = resolve(options.dir);
  try {
    const stat = statSync(dir, {throwIfNoEntry: false});
    if (stat === undefined) mkdirSync(dir, {recursive: true});
    else if (!stat.isDirectory()) {
      return err([
        failure('cache-unwritable', `The cache ${dir} is not a folder.`, {
          hint: 'Move that file away, or choose another folder with --cache.',
        }),
      ]);
    }
  } catch (error) {
    return err([writeFailure(error, `the cache folder ${dir}`)]);
  }
  const {warn, what} = options;
  const layout = storeLayout(dir);
  const nonce = newNonce();
  const temps = tempNames(layout.tmp, nonce);
  const quarantine = createQuarantine(layout.quarantine, nonce, warn);
  const session = createSession({dir: layout.sessions, temps, nonce, what});
  const parts = {temps, session, quarantine, warn};
  const cas = createCas({dir: layout.cas, ...parts});
  const locks = createLocks(layout.locks, session);
  return ok({
    dir,
    layout,
    cas,
    blobs: createBlobAdmin(layout.cas, temps, quarantine),
    actions: createActionCache({dir: layout.actions, ...parts}),
    locks,
    checkpoints: createCheckpoints(layout.checkpoints, locks),
    distrust: createDistrust({file: layout.distrusted, temps, locks, warn}),
    files: createMaterialiser(cas),
    quarantine,
    takePartial: (hash) => takePartial(hash, temps, locks),
    session: session.record,
    close: () => session.close(),
  });
}
