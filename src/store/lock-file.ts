import {linkSync, readFileSync, statSync, unlinkSync} from 'node:fs';
import {uptime} from 'node:os';
import {basename} from 'node:path';
import {withFolder, writeNew} from './atomic-file.ts';
import {errorCode, isMissing} from './io-failure.ts';
import {liveness} from './process-identity.ts';
import {heartbeatStaleMs, parseSession, type SessionRecord} from './session.ts';

/** Who takes a lock: what is written in it, and the session file it can be linked from. */
export interface LockOwner {
  readonly record: SessionRecord;
  readonly text: string;
  /** A file with `text`; absent when there is none on the lock's file system. */
  readonly file?: string;
}

/** `undefined`: taken. Otherwise who holds it; `record` is absent when the lock file cannot be read. */
export interface Holder {
  readonly record?: SessionRecord;
}

/**
 * Takes the lock at `path` unless a living process holds it; evicts a dead holder first. Never waits.
 *
 * @throws file system errors
 */
export function tryLock(path: string, owner: LockOwner): Holder | undefined {
  // Each turn ends, or evicts one dead holder, or sees a lock come and go; three turns are plenty before waiting.
  let holder: Holder = {};
  for (let turn = 0; turn < 3; turn++) {
    if (create(path, owner)) return undefined;
    const seen = inspect(path, owner);
    if (seen === undefined) continue;
    holder = seen.record === undefined ? {} : {record: seen.record};
    if (seen.held) return holder;
    evict(path, seen.token, owner);
  }
  return holder;
}

/** Gives the lock back, unless it was evicted meanwhile. */
export function unlock(path: string, owner: LockOwner): void {
  try {
    if (parseSession(readFileSync(path, 'utf8'))?.nonce === owner.record.nonce) unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Whether the process that wrote a session or lock file still lives; undefined when the file is gone. */
export function inspect(path: string, self: {readonly record: SessionRecord}): Inspection | undefined {
  let text: string;
  let stat;
  try {
    text = readFileSync(path, 'utf8');
    stat = statSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const beatAgoMs = Date.now() - stat.mtimeMs;
  const record = parseSession(text);
  if (record === undefined) {
    // Cut short by a power failure, or another process is just writing it.
    const beforeBoot = beatAgoMs > uptime() * 1000;
    return {held: !beforeBoot && beatAgoMs < heartbeatStaleMs, token: `${stat.ino}-${stat.mtimeMs}`};
  }
  const life = liveness(record, self.record);
  return {record, token: record.nonce, held: life === 'alive' || (life === 'unknown' && beatAgoMs < heartbeatStaleMs)};
}

export interface Inspection {
  readonly record?: SessionRecord;
  readonly held: boolean;
  /** Tells this holder from any later one. */
  readonly token: string;
}

/**
 * Removes a dead holder's lock. The hazard: two processes see the same dead holder, one removes its lock and takes the
 * lock itself, and the other then removes that one. So the right to remove is a lock of its own, named after the dead
 * holder, and its owner looks again before it removes: while it owns that right, nobody else can have replaced the dead
 * holder's file, and once it was replaced it is never the dead holder's again. If the owner of the right dies, it is
 * evicted the same way.
 */
function evict(path: string, token: string, owner: LockOwner): void {
  const right = `${path}.${token}.evict`;
  if (!create(right, owner)) {
    const other = inspect(right, owner);
    if (other !== undefined && !other.held) evict(right, other.token, owner);
    return;
  }
  try {
    const seen = inspect(path, owner);
    if (seen !== undefined && !seen.held && seen.token === token) unlinkSync(path);
  } finally {
    unlock(right, owner);
  }
}

/** True when the file was created with the owner's text in it; false when there is one. */
function create(path: string, owner: LockOwner): boolean {
  if (owner.file !== undefined) {
    try {
      linkSync(owner.file, path);
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EEXIST') return false;
      if (code === undefined || !linkless.has(code)) throw error;
    }
  }
  try {
    withFolder(path, () => writeNew(path, owner.text));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** No hard links here (FAT, some network file systems), too many to this file, or another file system. */
const linkless: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** `run 20250301-101500-3e7ab (pid 4711)`, with the host when it is another one. */
export function holderText(holder: Holder, self: SessionRecord): string {
  const {record} = holder;
  if (record === undefined) return 'another process';
  const host = record.host === self.host ? '' : ` on ${record.host.split('/')[0] ?? record.host}`;
  return `${record.what} (pid ${record.pid}${host})`;
}

/** Lock file name of a key: readable when the key allows it. @param digest - hash of any other key */
export function isPlainKey(key: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(key) && basename(key) === key;
}
