import {availableParallelism} from 'node:os';
import {setImmediate as nextTurn} from 'node:timers/promises';
import pLimit from 'p-limit';
import type {Sha256} from '../core/digest.ts';
import {createReacher} from './reach.ts';
import type {Store} from './store.ts';

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly blobs: number;
  readonly totalBlobs: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface VerifyReport {
  readonly blobs: number;
  readonly bytes: number;
  /** Hashes of blobs that were damaged. They are in quarantine now. */
  readonly damagedBlobs: readonly Sha256[];
  readonly records: number;
  /** Fingerprints of records that could not be read. They are in quarantine now. */
  readonly damagedRecords: readonly Sha256[];
  /** Records of this machine that referred to a blob that is gone. They are removed, so that the node runs again. */
  readonly danglingRecords: readonly {readonly fingerprint: Sha256; readonly missing: Sha256}[];
}

/**
 * Hashes every blob and reads every record. Afterwards the store holds only what is whole; what was not is made again when
 * it is needed. Other processes may use the store meanwhile.
 */
export async function verifyStore(store: Store, {signal, onProgress}: VerifyOptions = {}): Promise<VerifyReport> {
  const blobs = [...store.blobs.list()];
  const totalBytes = blobs.reduce((total, blob) => total + blob.bytes, 0);
  const limit = pLimit(availableParallelism());
  const damagedBlobs: Sha256[] = [];
  let done = 0;
  let bytes = 0;
  await Promise.all(
    blobs.map((blob) =>
      limit(async () => {
        signal?.throwIfAborted();
        if ((await store.blobs.check(blob.hash, signal)) === 'damaged') damagedBlobs.push(blob.hash);
        if (++done % 64 === 0) await nextTurn();
        bytes += blob.bytes;
        onProgress?.({blobs: done, totalBlobs: blobs.length, bytes, totalBytes});
      }),
    ),
  );

  const reacher = createReacher(store.blobs);
  const damagedRecords: Sha256[] = [];
  const danglingRecords: {fingerprint: Sha256; missing: Sha256}[] = [];
  let records = 0;
  for (const {fingerprint} of store.actions.list()) {
    signal?.throwIfAborted();
    records++;
    const result = store.actions.peek(fingerprint);
    if (result === undefined) {
      damagedRecords.push(fingerprint);
      continue;
    }
    if (result.borrowed) continue;
    const {needed} = reacher.ofResult(result);
    const missing = needed.find((digest) => store.blobs.sizeOf(digest.hash) !== digest.size);
    if (missing === undefined) continue;
    store.actions.discard(fingerprint, Infinity);
    danglingRecords.push({fingerprint, missing: missing.hash});
  }
  return {
    blobs: blobs.length,
    bytes: totalBytes,
    damagedBlobs: damagedBlobs.sort(),
    records,
    damagedRecords: damagedRecords.sort(),
    danglingRecords,
  };
}
