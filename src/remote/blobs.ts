import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import type {Digest} from '../core/digest.ts';
import type {Cas} from '../core/ports.ts';
import {RemoteError, type Body} from './transport.ts';

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
