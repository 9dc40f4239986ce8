import {join} from 'node:path';
import type {Sha256} from '../core/digest.ts';

/** Where everything of one store lies. */
export interface StoreLayout {
  readonly dir: string;
  readonly cas: string;
  readonly actions: string;
  readonly locks: string;
  /** One folder per fingerprint whose job was stopped. */
  readonly checkpoints: string;
  readonly tmp: string;
  readonly quarantine: string;
  /** One file per process that uses the store now. */
  readonly sessions: string;
  /** One file per `runs` folder whose results this store holds. */
  readonly checkouts: string;
  /** One folder per order to a cluster, until its results are here. */
  readonly submissions: string;
  readonly statCache: string;
  /** Who vouched for a wrong result. */
  readonly distrusted: string;
}

/** Names every place of the store at `dir`. */
export function storeLayout(dir: string): StoreLayout {
  return {
    dir,
    cas: join(dir, 'cas'),
    actions: join(dir, 'actions'),
    locks: join(dir, 'locks'),
    checkpoints: join(dir, 'checkpoints'),
    tmp: join(dir, 'tmp'),
    quarantine: join(dir, 'quarantine'),
    sessions: join(dir, 'sessions'),
    checkouts: join(dir, 'checkouts'),
    submissions: join(dir, 'slurm'),
    statCache: join(dir, 'stat.bin'),
    distrusted: join(dir, 'distrusted.json'),
  };
}

/** Path of a blob. `hash` must have been checked to be a SHA-256: it may come from a damaged record. */
export function blobPath(cas: string, hash: Sha256): string {
  return `${cas}/${hash.slice(0, 2)}/${hash}`;
}

/** Path of an action record, under the same condition. */
export function recordPath(actions: string, fingerprint: Sha256): string {
  return `${actions}/${fingerprint.slice(0, 2)}/${fingerprint}.json`;
}
