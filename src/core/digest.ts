import {hash} from 'node:crypto';

/** 64 lower-case hexadecimal digits. */
export type Sha256 = string & {readonly __brand: 'Sha256'};

/** What identifies content: its hash and its size in bytes. */
export interface Digest {
  readonly hash: Sha256;
  readonly size: number;
}

export function sha256(bytes: Uint8Array | string): Sha256 {
  return hash('sha256', bytes, 'hex') as Sha256;
}

export function digestOf(bytes: Uint8Array | string): Digest {
  const data = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  return {hash: sha256(data), size: data.byteLength};
}

export function isSha256(text: string): text is Sha256 {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Whether something that was read is a digest. Its hash becomes part of a path. */
export function isDigest(value: unknown): value is Digest {
  if (typeof value !== 'object' || value === null) return false;
  const {hash, size} = value as {hash?: unknown; size?: unknown};
  return typeof hash === 'string' && isSha256(hash) && Number.isSafeInteger(size) && (size as number) >= 0;
}

export function sameDigest(a: Digest, b: Digest): boolean {
  return a.hash === b.hash && a.size === b.size;
}
