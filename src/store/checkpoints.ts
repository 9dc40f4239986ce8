import {lstatSync, mkdirSync, renameSync, rmdirSync, rmSync} from 'node:fs';
import {isSha256, type Sha256} from '../core/digest.ts';
import type {Checkpoint, Checkpoints, Lock, Locks} from '../core/ports.ts';
import {namesIn} from './atomic-file.ts';
import {asFailureError, errorCode} from './io-failure.ts';

/** Key of the lock on a fingerprint's checkpoint. */
export function checkpointLock(fingerprint: string): string {
  return `checkpoint-${fingerprint}`;
}

/**
 * Checkpoints at `<dir>/<fingerprint>/<n>`, n being the number of the attempt. Taking one over renames it, so a worker
 * of a killed run that has not died yet, perhaps on another host, finds its path gone. Where several numbers are found,
 * such a worker has made its folder again: the highest counts.
 */
export function createCheckpoints(dir: string, locks: Locks): Checkpoints {
  return {
    waits(fingerprint) {
      const place = `${dir}/${fingerprint}`;
      try {
        const last = attemptsIn(place).at(-1);
        return last !== undefined && namesIn(`${place}/${last}`).length > 0;
      } catch {
        // Whoever takes it finds out what is wrong.
        return false;
      }
    },
    take(fingerprint) {
      const lock = locks.tryAcquire(checkpointLock(fingerprint));
      return lock && checkpointOf(`${dir}/${fingerprint}`, lock);
    },
  };
}

/** What is kept for one fingerprint. */
export interface KeptCheckpoint {
  readonly fingerprint: Sha256;
  readonly path: string;
  readonly bytes: number;
  /** When anything in it was last written, made, renamed or removed. Milliseconds since the epoch. */
  readonly touchedAtMs: number;
}

/** All checkpoints, in use or not. */
export function listCheckpoints(dir: string): readonly KeptCheckpoint[] {
  return namesIn(dir).flatMap((name) => (isSha256(name) ? (lookAt(dir, name) ?? []) : []));
}

/** The checkpoint of a fingerprint as it is now; undefined when there is none. */
export function lookAt(dir: string, fingerprint: Sha256): KeptCheckpoint | undefined {
  const path = `${dir}/${fingerprint}`;
  const seen = lookInto(path);
  return seen && {fingerprint, path, ...seen};
}

function checkpointOf(place: string, lock: Lock): Checkpoint {
  let current: string | undefined;
  return {
    open(how) {
      try {
        const attempts = attemptsIn(place);
        const last = attempts.at(-1);
        current = `${place}/${(last ?? 0) + 1}`;
        if (how === 'resume' && last !== undefined) renameSync(`${place}/${last}`, current);
        else mkdirSync(current, {recursive: true});
        for (const old of attempts) rmSync(`${place}/${old}`, {recursive: true, force: true});
        return current;
      } catch (error) {
        throw asFailureError(error, `a checkpoint in ${place}`);
      }
    },
    leave() {
      // An empty one is nothing to go on from.
      if (current !== undefined) removeEmpty(current);
      removeEmpty(place);
      lock.release();
    },
    discard() {
      try {
        rmSync(place, {recursive: true, force: true});
      } catch {
        // The result is stored: gc removes what is of no more use.
      }
      lock.release();
    },
  };
}

/** Numbers of the attempts that left a folder, ascending. */
function attemptsIn(place: string): readonly number[] {
  return namesIn(place)
    .filter((name) => /^\d{1,15}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

function lookInto(path: string): {readonly bytes: number; readonly touchedAtMs: number} | undefined {
  const stat = lstatSync(path, {throwIfNoEntry: false});
  if (stat === undefined) return undefined;
  let bytes = stat.isDirectory() ? 0 : stat.size;
  let touchedAtMs = Math.max(stat.mtimeMs, stat.ctimeMs);
  if (stat.isDirectory()) {
    for (const name of namesIn(path)) {
      const inner = lookInto(`${path}/${name}`);
      bytes += inner?.bytes ?? 0;
      touchedAtMs = Math.max(touchedAtMs, inner?.touchedAtMs ?? 0);
    }
  }
  return {bytes, touchedAtMs};
}
