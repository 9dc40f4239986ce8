import {existsSync, rmSync, statSync} from 'node:fs';
import type {Sha256} from '../core/digest.ts';
import type {RecordInfo} from './action-cache.ts';
import {namesIn} from './atomic-file.ts';
import type {BlobInfo} from './blob-admin.ts';
import {checkpointLock, listCheckpoints, lookAt, type KeptCheckpoint} from './checkpoints.ts';
import {inspect, tryLock, unlock} from './lock-file.ts';
import {blobPath} from './layout.ts';
import {isPartial, listPartials, removePartial} from './partials.ts';
import {createReacher, type Reach} from './reach.ts';
import {registeredCheckouts, rootsOf} from './roots.ts';
import {touchEveryMs} from './seal.ts';
import type {Store} from './store.ts';
import {submittedBlobs} from './submitted.ts';

export interface GcRequest {
  /** `runs` folders whose results stay, besides those of all registered checkouts. */
  readonly runsDirs: readonly string[];
  readonly nowMs: number;
  /** Drop results that no checkout refers to and nobody used for this long. */
  readonly olderThanMs?: number;
  /** Then drop more of them, least recently used first, until the store is no larger. */
  readonly maxBytes?: number;
  /** Leave alone what was used within this time. At least, and by default, an hour. */
  readonly graceMs?: number;
}

/** What `applyGc` would remove. Without an age or a size these are only blobs that no result refers to, and left-overs. */
export interface GcPlan {
  readonly records: readonly RecordInfo[];
  readonly blobs: readonly BlobInfo[];
  readonly leftovers: readonly Leftover[];
  readonly freedBytes: number;
  readonly keptBytes: number;
  readonly keptRecords: number;
  /** Whatever was used since is left alone. Milliseconds since the epoch. */
  readonly usedSinceMs: number;
  /** Checkpoints touched since then are left alone, unless their result is there. Milliseconds since the epoch. */
  readonly checkpointsBeforeMs: number;
  /** Processes that use the store now, because of which more than the grace is left alone. */
  readonly inUseBy: readonly string[];
}

export interface Leftover {
  readonly path: string;
  readonly bytes: number;
  readonly what: 'temporary file' | 'partial download' | 'quarantined file' | 'checkpoint' | 'session' | 'lock';
}

const hourMs = 3_600_000;
/** How long damaged files, and checkpoints and downloads that nobody goes on with, stay. */
const patienceMs = 7 * 24 * hourMs;

/**
 * Decides what to remove. Reads every record and tree, so it takes seconds on a large store.
 *
 * Why running builds lose nothing: a build marks each blob and record that it puts or relies on as used now (unless that was
 * done within `touchEveryMs`), before it goes on. Whatever was used within the grace, or since a little before the oldest
 * living process opened the store, is not planned, and `applyGc` looks at each file's time again.
 */
export function planGc(store: Store, request: GcRequest): GcPlan {
  const {nowMs, olderThanMs = Infinity, maxBytes = Infinity} = request;
  const sessions = sessionsOf(store);
  const living = sessions.filter((session) => session.held);
  const startedAt = living.map((session) => session.startedAtMs);
  const usedSinceMs = Math.min(
    nowMs - Math.max(request.graceMs ?? hourMs, hourMs),
    ...startedAt.map((at) => at - 2 * touchEveryMs),
  );

  const reacher = createReacher(store.blobs);
  const records = new Map<Sha256, Known>();
  for (const info of store.actions.list()) {
    const result = store.actions.peek(info.fingerprint);
    if (result !== undefined)
      records.set(info.fingerprint, {info, usedAtMs: info.usedAtMs, reach: reacher.ofResult(result)});
  }
  const roots = rootsOf([...new Set([...request.runsDirs, ...registeredCheckouts(store.layout.checkouts)])]);
  const rooted = new Set<Sha256>();
  for (const fingerprint of roots.fingerprints) keepWithSlices(fingerprint, records, rooted);
  shareUseWithSlices(records);

  const blobs = new Map<Sha256, BlobInfo>();
  for (const blob of store.blobs.list()) blobs.set(blob.hash, blob);
  const references = new Map<Sha256, number>();
  const count = (reach: Reach, by: 1 | -1): void => {
    for (const hash of hashesOf(reach)) references.set(hash, (references.get(hash) ?? 0) + by);
  };
  for (const {artifacts, slices} of roots.results) count(reacher.ofArtifacts(artifacts, slices), 1);
  const submitted = new Set([...submittedBlobs(store.layout.submissions)].flatMap((hash) => reacher.ofBlob(hash)));

  const dropped: RecordInfo[] = [];
  const candidates: Known[] = [];
  for (const known of records.values()) {
    const spared = rooted.has(known.info.fingerprint) || known.usedAtMs >= usedSinceMs;
    if (!spared && known.usedAtMs < nowMs - olderThanMs) {
      dropped.push(known.info);
      continue;
    }
    count(known.reach, 1);
    if (!spared) candidates.push(known);
  }
  const isKept = ({hash, usedAtMs}: BlobInfo): boolean =>
    (references.get(hash) ?? 0) > 0 || usedAtMs >= usedSinceMs || submitted.has(hash);
  let keptBytes = 0;
  for (const blob of blobs.values()) if (isKept(blob)) keptBytes += blob.bytes;
  for (const {info} of records.values()) keptBytes += info.bytes;
  for (const {bytes} of dropped) keptBytes -= bytes;

  candidates.sort((a, b) => a.usedAtMs - b.usedAtMs);
  for (const {info, reach} of candidates) {
    if (keptBytes <= maxBytes) break;
    count(reach, -1);
    dropped.push(info);
    keptBytes -= info.bytes;
    for (const hash of new Set(hashesOf(reach))) {
      const blob = blobs.get(hash);
      if (blob !== undefined && !isKept(blob)) keptBytes -= blob.bytes;
    }
  }
  const garbage = [...blobs.values()].filter((blob) => !isKept(blob));
  const agedBeforeMs = nowMs - Math.min(olderThanMs, patienceMs);
  const leftovers = leftoversOf(store, sessions, usedSinceMs, agedBeforeMs);
  return {
    records: dropped,
    blobs: garbage,
    leftovers,
    freedBytes: sum(dropped) + sum(garbage) + sum(leftovers),
    keptBytes,
    keptRecords: records.size - dropped.length,
    usedSinceMs,
    checkpointsBeforeMs: agedBeforeMs,
    inUseBy: living.map((session) => session.what),
  };
}

/** Removes what was planned, except what was used meanwhile. Records go first: none ever refers to a blob that is gone. */
export function applyGc(
  store: Store,
  plan: GcPlan,
): {readonly records: number; readonly blobs: number; readonly freedBytes: number} {
  let freedBytes = 0;
  const removed = <T extends {readonly bytes: number}>(items: readonly T[], remove: (item: T) => boolean): number => {
    const gone = items.filter(remove);
    freedBytes += sum(gone);
    return gone.length;
  };
  const records = removed(plan.records, ({fingerprint}) => store.actions.discard(fingerprint, plan.usedSinceMs));
  const blobs = removed(plan.blobs, ({hash}) => store.blobs.discard(hash, plan.usedSinceMs));
  removed(plan.leftovers, (leftover) => {
    const {path, what} = leftover;
    if (what === 'checkpoint') return removeCheckpoint(leftover, plan.checkpointsBeforeMs, store);
    if (what === 'partial download') return removePartial(path, store.locks);
    if (what === 'lock') removeDeadLock(path, store);
    else rmSync(path, {force: true});
    return true;
  });
  return {records, blobs, freedBytes};
}

interface Known {
  readonly info: RecordInfo;
  /** Of the record, or of the node it is a slice of. */
  usedAtMs: number;
  readonly reach: Reach;
}

/** A node's slices stay as long as the node: otherwise one changed item would mean to make all of them again. */
function keepWithSlices(fingerprint: Sha256, records: ReadonlyMap<Sha256, Known>, kept: Set<Sha256>): void {
  if (kept.has(fingerprint)) return;
  kept.add(fingerprint);
  for (const slice of records.get(fingerprint)?.reach.slices ?? []) kept.add(slice);
}

function shareUseWithSlices(records: ReadonlyMap<Sha256, Known>): void {
  for (const {reach, usedAtMs} of records.values()) {
    for (const fingerprint of reach.slices) {
      const slice = records.get(fingerprint);
      if (slice !== undefined) slice.usedAtMs = Math.max(slice.usedAtMs, usedAtMs);
    }
  }
}

function* hashesOf({needed, helpful}: Reach): Iterable<Sha256> {
  for (const {hash} of needed) yield hash;
  yield* helpful;
}

interface SeenSession {
  readonly path: string;
  readonly bytes: number;
  readonly nonce: string;
  readonly what: string;
  readonly startedAtMs: number;
  readonly held: boolean;
}

/** What other processes do with the store at this moment. */
export function othersAtWork(store: Store): readonly string[] {
  return sessionsOf(store).flatMap(({held, what}) => (held ? [what] : []));
}

/** All other processes that opened the store, living and dead. */
function sessionsOf(store: Store): SeenSession[] {
  return namesIn(store.layout.sessions).flatMap((name) => {
    const path = `${store.layout.sessions}/${name}`;
    const seen = inspect(path, {record: store.session});
    if (seen === undefined || seen.token === store.session.nonce) return [];
    const {record, held, token} = seen;
    const bytes = statSync(path, {throwIfNoEntry: false})?.size ?? 0;
    return [{path, bytes, held, nonce: token, what: record?.what ?? name, startedAtMs: record?.startedAt ?? 0}];
  });
}

function leftoversOf(
  store: Store,
  sessions: readonly SeenSession[],
  usedSinceMs: number,
  agedBeforeMs: number,
): Leftover[] {
  const {layout} = store;
  const dead = new Set(sessions.filter((session) => !session.held).map((session) => session.nonce));
  const temporary = namesIn(layout.tmp).flatMap((name): Leftover[] => {
    const path = `${layout.tmp}/${name}`;
    const stat = statSync(path, {throwIfNoEntry: false});
    // `<pid>-<nonce>-<count>`
    if (isPartial(name) || stat === undefined) return [];
    const stale = dead.has(name.split('-')[1] ?? '') || stat.ctimeMs < usedSinceMs;
    return stale ? [{path, bytes: stat.size, what: 'temporary file'}] : [];
  });
  const locks = namesIn(layout.locks).flatMap((name): Leftover[] => {
    const path = `${layout.locks}/${name}`;
    const seen = inspect(path, {record: store.session});
    return seen === undefined || seen.held ? [] : [{path, bytes: 0, what: 'lock'}];
  });
  return [
    ...temporary,
    ...listPartials(layout.tmp)
      .filter(({hash, stat}) => stat.ctimeMs < agedBeforeMs || existsSync(blobPath(layout.cas, hash)))
      .map(({path, stat}): Leftover => ({path, bytes: stat.size, what: 'partial download'})),
    ...locks,
    ...sessions.filter(({held}) => !held).map(({path, bytes}): Leftover => ({path, bytes, what: 'session'})),
    ...store.quarantine
      .list()
      .filter(({ctimeMs}) => ctimeMs < agedBeforeMs)
      .map(({path, bytes}): Leftover => ({path, bytes, what: 'quarantined file'})),
    ...listCheckpoints(layout.checkpoints)
      .filter(
        (kept) => isSpent(kept, agedBeforeMs, store) && !inspect(lockOf(kept, store), {record: store.session})?.held,
      )
      .map(({path, bytes}): Leftover => ({path, bytes, what: 'checkpoint'})),
  ];
}

/** Nobody goes on from it: its result is stored already, or it was left alone for long. */
function isSpent({fingerprint, touchedAtMs}: KeptCheckpoint, beforeMs: number, store: Store): boolean {
  return touchedAtMs < beforeMs || store.actions.peek(fingerprint) !== undefined;
}

function lockOf({fingerprint}: KeptCheckpoint, {layout}: Store): string {
  return `${layout.locks}/${checkpointLock(fingerprint)}.lock`;
}

/** Under its lock, which no run has to wait for: a job that finds it taken keeps a folder of its own. */
function removeCheckpoint({path}: Leftover, beforeMs: number, store: Store): boolean {
  const {checkpoints} = store.layout;
  const kept = listCheckpoints(checkpoints).find((one) => one.path === path);
  const lock = kept && store.locks.tryAcquire(checkpointLock(kept.fingerprint));
  if (!lock) return false;
  try {
    const now = lookAt(checkpoints, kept.fingerprint);
    if (!now || !isSpent(now, beforeMs, store)) return false;
    rmSync(path, {recursive: true, force: true});
    return true;
  } finally {
    lock.release();
  }
}

/** By taking it: somebody else may be taking it over at this moment. */
function removeDeadLock(path: string, store: Store): void {
  const owner = {record: store.session, text: `${JSON.stringify(store.session)}\n`};
  if (tryLock(path, owner) === undefined) unlock(path, owner);
}

function sum(items: readonly {readonly bytes: number}[]): number {
  return items.reduce((total, item) => total + item.bytes, 0);
}
