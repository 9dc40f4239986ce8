import type {SliceManifest} from './action.ts';
import {isDigest, isSha256} from './digest.ts';
import {isVoucher} from './origin.ts';

/**
 * Reads the text of a list of slices; undefined unless it is one. Others may have written it, and its hashes become parts of
 * paths: no list is to be used that has not come through here.
 */
export function parseSlices(text: string): SliceManifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const {type, slices} = (value ?? {}) as {type?: unknown; slices?: unknown};
  return type === 'slices/1' && Array.isArray(slices) && slices.every(isSlice) ? {type, slices} : undefined;
}

function isSlice(value: unknown): value is SliceManifest['slices'][number] {
  if (typeof value !== 'object' || value === null) return false;
  const {key, item, fingerprint, outputs, wallMs, from} = value as Readonly<Record<string, unknown>>;
  return (
    typeof key === 'string' &&
    typeof fingerprint === 'string' &&
    isSha256(fingerprint) &&
    isDigest(item) &&
    typeof outputs === 'object' &&
    outputs !== null &&
    Object.values(outputs).every(isDigest) &&
    Number.isFinite(wallMs) &&
    (from === undefined || isVoucher(from))
  );
}
