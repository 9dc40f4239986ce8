import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import {digestOf, type Digest, type Sha256} from '../core/digest.ts';
import {FailureError} from '../core/failure.ts';
import type {Cas} from '../core/ports.ts';
import {RemoteError, type Body} from './transport.ts';

/** Where blobs are kept on this side. */
export interface LocalBlobs {
  readonly cas: Cas;
  /** Paths for files that are being received, on the store's file system. */
  readonly nextTemp: () => string;
}

/** Blobs up to this size are held in memory while they come. */
const smallBytes = 1 << 20;

/**
 * Takes a blob in. Nothing reaches the store unless its content has this digest.
 *
 * @throws RemoteError `cut-short` or `wrong` when it has not, `local` when it cannot be stored
 */
export async function receiveBlob(
  digest: Digest,
  bytes: AsyncIterable<Uint8Array>,
  {cas, nextTemp}: LocalBlobs,
): Promise<void> {
  if (digest.size <= smallBytes) {
    const data = await collect(bytes);
    checkReceived(digest, digestOf(data));
    await locally(() => cas.putBytes(data));
    return;
  }
  const temp = nextTemp();
  try {
    const file = await locally(async () => {
      await mkdir(dirname(temp), {recursive: true});
      return open(temp, 'wx');
    });
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.byteLength;
        await locally(() => file.writeFile(chunk));
      }
    } finally {
      await file.close();
    }
    checkReceived(digest, {hash: hash.digest('hex') as Sha256, size});
    await locally(() => cas.putFile(temp, 'move'));
  } finally {
    await rm(temp, {force: true});
  }
}

/** A blob of the store as something to send: its last piece leaves only when the whole has the right digest. */
export function blobBody(digest: Digest, cas: Cas): Body {
  return {
    size: digest.size,
    async *open() {
      const hash = createHash('sha256');
      let size = 0;
      let held: Uint8Array | undefined;
      const stream = createReadStream(cas.pathOf(digest), {highWaterMark: 1 << 18});
      try {
        for await (const chunk of stream as AsyncIterable<Uint8Array>) {
          hash.update(chunk);
          size += chunk.byteLength;
          if (held) yield held;
          held = chunk;
        }
      } catch (error) {
        throw new RemoteError('local', `blob ${digest.hash} cannot be read`, error);
      }
      if (size !== digest.size || hash.digest('hex') !== digest.hash) {
        throw new RemoteError('local', `blob ${digest.hash} is damaged in the local cache`);
      }
      if (held) yield held;
    },
  };
}

/** The bytes as one; their sum must be small. */
export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function checkReceived(wanted: Digest, got: Digest): void {
  if (got.size < wanted.size) {
    throw new RemoteError('cut-short', `blob ${wanted.hash} ended after ${got.size} of ${wanted.size} bytes`);
  }
  if (got.hash !== wanted.hash) throw new RemoteError('wrong', `blob ${wanted.hash} came with other content`);
}

async function locally<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const expected = error instanceof FailureError || (error instanceof Error && 'code' in error);
    throw expected ? new RemoteError('local', (error as Error).message, error) : error;
  }
}
