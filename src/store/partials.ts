import {rmSync, statSync, type Stats} from 'node:fs';
import {basename} from 'node:path';
import {isSha256, type Sha256} from '../core/digest.ts';
import type {Locks} from '../core/ports.ts';
import {namesIn, type TempNames} from './atomic-file.ts';

/** A file that is being received from elsewhere. */
export interface PartialFile {
  /** Absolute. */
  readonly path: string;
  /** Another may go on with the file. */
  release(): void;
}

/** A file that is not whole, in use or not. */
export interface KeptPartial {
  readonly path: string;
  readonly hash: Sha256;
  readonly stat: Stats;
}

/**
 * The file for the blob with this hash. What a process leaves in it, the next one finds; who comes while another process is at
 * it gets a file of its own.
 */
export function takePartial(hash: Sha256, temps: TempNames, locks: Locks): PartialFile {
  const lock = locks.tryAcquire(`${prefix}${hash}`);
  if (lock) return {path: `${temps.dir}/${prefix}${hash}`, release: () => lock.release()};
  const path = temps.next();
  return {path, release: () => rmSync(path, {force: true})};
}

/** All of them among temporary files. */
export function listPartials(dir: string): readonly KeptPartial[] {
  return namesIn(dir).flatMap((name) => {
    const hash = name.slice(prefix.length);
    if (!isPartial(name) || !isSha256(hash)) return [];
    const path = `${dir}/${name}`;
    const stat = statSync(path, {throwIfNoEntry: false});
    return stat ? [{path, hash, stat}] : [];
  });
}

/** Whether a temporary file outlives the process that made it. */
export function isPartial(name: string): boolean {
  return name.startsWith(prefix);
}

/** False when somebody is writing to it. */
export function removePartial(path: string, locks: Locks): boolean {
  const lock = locks.tryAcquire(basename(path));
  if (!lock) return false;
  try {
    rmSync(path, {force: true});
    return true;
  } finally {
    lock.release();
  }
}

const prefix = 'partial-';
