import {randomBytes} from 'node:crypto';
import {mkdirSync, rmSync, utimesSync} from 'node:fs';
import {writeFileAtomic, type TempNames} from './atomic-file.ts';
import {parseIdentity, thisProcess, type ProcessIdentity} from './process-identity.ts';

/** A process that uses the store, as told to other processes. */
export interface SessionRecord extends ProcessIdentity {
  readonly type: 'session/1';
  readonly nonce: string;
  /** For people: what the process is doing, such as `run 20250301-101500-3e7ab`. */
  readonly what: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** How often a session shows other hosts that it lives, and when they stop believing it. */
const heartbeatMs = 60_000;
export const heartbeatStaleMs = 600_000;

/**
 * This process's presence in the store. Its file tells gc what is in use, and every lock that the process holds is a
 * hard link to it: a lock therefore appears with its holder in it, and one heartbeat serves all locks.
 */
export interface Session {
  readonly record: SessionRecord;
  readonly text: string;
  readonly file: string;
  /** Writes the file unless it was written. @throws file system errors */
  announce(): void;
  /** Writes the file again although it was written: somebody removed it. @throws file system errors */
  announceAgain(): void;
  /** `announce` for those that can go on without: a store that cannot be written to has no gc to fear. */
  tryAnnounce(): void;
  /** Called when the process exits or the session closes. */
  onClose(release: () => void): void;
  close(): void;
}

export interface SessionOptions {
  readonly dir: string;
  readonly temps: TempNames;
  readonly nonce: string;
  readonly what: string;
}

/** @returns a nonce for `createSession` and `tempNames` */
export function newNonce(): string {
  return randomBytes(8).toString('hex');
}

/** What this process writes into its session file and its locks. */
export function introduce(what: string, nonce: string): {readonly record: SessionRecord; readonly text: string} {
  const record: SessionRecord = {type: 'session/1', ...thisProcess(), nonce, what, startedAt: Date.now()};
  return {record, text: `${JSON.stringify(record)}\n`};
}

export function createSession({dir, temps, nonce, what}: SessionOptions): Session {
  const {record, text} = introduce(what, nonce);
  const file = `${dir}/${record.pid}-${nonce}.json`;
  const releases: (() => void)[] = [];
  let announced = false;
  let failed = false;
  let heartbeat: NodeJS.Timeout | undefined;

  const close = (): void => {
    process.off('exit', close);
    clearInterval(heartbeat);
    for (const release of releases.splice(0)) release();
    if (announced) rmSync(file, {force: true});
    announced = false;
  };
  const write = (): void => {
    mkdirSync(dir, {recursive: true});
    writeFileAtomic(file, text, temps);
  };
  const announce = (): void => {
    if (announced) return;
    write();
    announced = true;
    process.on('exit', close);
    heartbeat = setInterval(() => beat(file), heartbeatMs);
    heartbeat.unref();
  };
  return {
    record,
    text,
    file,
    announce,
    announceAgain() {
      if (announced) write();
      else announce();
    },
    tryAnnounce() {
      if (announced || failed) return;
      try {
        announce();
      } catch {
        failed = true;
      }
    },
    onClose(release) {
      releases.push(release);
    },
    close,
  };
}

/** Reads what `createSession` wrote; undefined when the text is anything else, for instance cut short. */
export function parseSession(text: string): SessionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const identity = parseIdentity(value);
  if (identity === undefined) return undefined;
  const {type, nonce, what, startedAt} = value as Record<string, unknown>;
  if (type !== 'session/1' || typeof nonce !== 'string' || !/^[0-9a-f]+$/.test(nonce)) return undefined;
  if (typeof what !== 'string' || typeof startedAt !== 'number') return undefined;
  return {type, ...identity, nonce, what, startedAt};
}

function beat(file: string): void {
  const now = Date.now() / 1000;
  try {
    utimesSync(file, now, now);
  } catch {
    // The store was removed or its disk went away: the next lock or write reports it.
  }
}
