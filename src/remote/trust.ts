import type {Sha256} from '../core/digest.ts';
import type {JsonObject} from '../core/json.ts';
import type {Voucher} from '../core/origin.ts';
import {trustedIn, type Trust} from './namespaces.ts';
import {isSignedBy, readPublicKey, readSignature, type Place, type PublicKey} from './signature.ts';

/** The keys that results must be signed by; undefined for a namespace whose results need no signature. */
export type Trusted = (namespace: string) => ReadonlyMap<Sha256, PublicKey> | undefined;

/**
 * Why an entry is not used: it has no signature, or none that can be one; is signed by a key that is not trusted in its
 * namespace; was not signed as it is, or not for this namespace; belongs to another key; comes from somebody who is distrusted,
 * or was partly made by others who are not trusted.
 */
export type Refusal = 'unsigned' | 'malformed' | 'unknown-key' | 'forged' | 'moved' | 'distrusted' | 'through-others';

export interface Refused {
  readonly refused: Refusal;
  /** Id of the key that it says it is signed with. */
  readonly key?: Sha256;
}

/** Whom an entry is taken from, or why it is not. */
export type Verdict = {readonly voucher: Voucher} | Refused;

/** The keys of a `trust` table, each read once. */
export function trustedKeys(trust: Trust): Trusted {
  const tables = new Map<string, ReadonlyMap<Sha256, PublicKey> | undefined>();
  return (namespace) => {
    if (!tables.has(namespace)) {
      const texts = trustedIn(trust, namespace);
      tables.set(namespace, texts && keysOf(Object.values(texts)));
    }
    return tables.get(namespace);
  };
}

/**
 * Decides whether an entry is used that was found at a place, and who answers for it.
 *
 * @param record - the entry with its `signature`, as it came
 */
export function judge(
  {signature: given, ...entry}: JsonObject,
  place: Place,
  trusted: Trusted,
  isDistrusted: (voucher: Voucher) => boolean,
): Verdict {
  const keys = trusted(place.namespace);
  let voucher: Voucher = `namespace:${place.namespace}`;
  if (keys) {
    if (given === undefined) return {refused: 'unsigned'};
    const signature = readSignature(given);
    if (!signature) return {refused: 'malformed'};
    const key = keys.get(signature.key);
    if (!key) return {refused: 'unknown-key', key: signature.key};
    if (!isSignedBy(entry, place, signature, key)) return {refused: 'forged', key: key.id};
    voucher = `key:${key.id}`;
  }
  return isDistrusted(voucher) ? {refused: 'distrusted'} : {voucher};
}

/** Everybody whose entries are used in one of these namespaces. */
export function vouchersOf(namespaces: readonly string[], trusted: Trusted): readonly Voucher[] {
  return namespaces.flatMap((namespace): Voucher[] => {
    const keys = trusted(namespace);
    return keys ? [...keys.keys()].map((id): Voucher => `key:${id}`) : [`namespace:${namespace}`];
  });
}

function keysOf(texts: readonly string[]): ReadonlyMap<Sha256, PublicKey> {
  const keys = new Map<Sha256, PublicKey>();
  for (const text of texts) {
    const key = readPublicKey(text);
    if (key) keys.set(key.id, key);
  }
  return keys;
}
